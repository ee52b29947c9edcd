"""The digests that official files and images must have.

Those of the lock file that comes with this tool, and those that were recorded when a file or an
image was used for the first time on this host. Both files have one form: official addresses,
without the scheme, and digests in hexadecimal digits.
"""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.locks import locked
from bootstrap.errors import StateError
from bootstrap.resources import resource_directory

_LOCK_TIMEOUT_S = 30
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Pins:
    """The pinned digests of this host."""

    def __init__(self, directories: Directories, pinned: Path | None = None) -> None:
        self._pinned = pinned or resource_directory("artifacts") / "upstream.lock.json"
        self._state = directories.state
        self._lock = directories.locks / ".upstream.lock"

    @property
    def recorded(self) -> Path:
        """The file of what was recorded on first use."""
        return self._state / "upstream.lock.json"

    def ensure(self, address: str, published: Callable[[], str]) -> str:
        """Return the digest of an address; one that is not known is asked for, and recorded."""
        known = self.find(address)
        if known is not None:
            return known
        digest = published()
        private_directory(self._state)
        with locked(self._lock, what="the recorded checksums", timeout_s=_LOCK_TIMEOUT_S):
            # Another process may have recorded it meanwhile; the first one counts.
            entries = {address: digest} | _read(self.recorded)
            text = json.dumps(dict(sorted(entries.items())), indent=1)
            write_atomically(self.recorded, f"{text}\n")
        return entries[address]

    def find(self, address: str) -> str | None:
        """Return the digest of an address if it is known.

        :raises StateError: if a file of digests is damaged.
        """
        return (_read(self.recorded) | _read(self._pinned)).get(address)

    def is_pinned(self, address: str) -> bool:
        """Tell whether the digest came with this tool."""
        return address in _read(self._pinned)


def _read(path: Path) -> dict[str, str]:
    try:
        entries = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(entries, dict):
        raise _damaged(path, "it is no object")
    for address, digest in entries.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise _damaged(path, f"'{address}' has no SHA-256")
    return entries


def _damaged(path: Path, reason: str) -> StateError:
    return StateError(
        f"File '{path}' does not hold checksums of official files.",
        details=f"{reason}\nWithout it, they are recorded again at their next use.",
        hint=f"rm {shlex.quote(str(path))}",
    )
