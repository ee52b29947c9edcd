"""The part of a file that has come; a kill leaves it for the next run to go on with."""

import re
import shutil
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import urllib3

from bootstrap.adapters.downloads.failures import WrongRange, refused
from bootstrap.adapters.downloads.pace import mib
from bootstrap.adapters.files import sha256_of, sync
from bootstrap.errors import HostError

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
#: No file that we fetch comes near to it; without it, an endless body would fill the disk.
_LARGEST = 2 << 30


@dataclass(frozen=True, slots=True)
class Partial:
    """A file that is not yet whole; no other code uses it under this name."""

    path: Path

    @property
    def size(self) -> int:
        """How many bytes have come."""
        return self.path.stat().st_size if self.path.exists() else 0

    def headers(self) -> dict[str, str]:
        """Return the header that asks for the rest."""
        return {"Range": f"bytes={self.size}-"} if self.size else {}

    def begin(self, response: urllib3.BaseHTTPResponse, url: str) -> int | None:
        """Make room for the body of an answer; return the size of the whole file, if known.

        An answer with the whole file makes the part empty.

        :raises WrongRange: if the answer is another part of the file than was asked for.
        :raises HostError: if the rest does not fit on the disk.
        """
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if found is None or int(found[1]) != self.size:
                raise WrongRange
            total = None if found[2] == "*" else int(found[2])
        else:
            self.remove()
        if (total or 0) > _LARGEST:
            raise refused(url, f"it has {mib(total or 0)}, more than any file that is wanted")
        self._check_room((total or self.size) - self.size)
        return total

    def add(self, data: bytes, url: str) -> None:
        """Add what has come.

        :raises OSError: if the disk is full; the part is removed then, since it would keep it full.
        """
        try:
            with self.path.open("ab") as file:
                file.write(data)
        except OSError as error:
            self.remove()
            # That of a write names no file.
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        if self.size > _LARGEST:
            self.remove()
            raise refused(url, f"it has more than {mib(_LARGEST)}, and no end")

    def remove(self) -> None:
        """Forget what has come."""
        self.path.unlink(missing_ok=True)

    def publish(self, path: Path, sha256: str) -> bool:
        """Give the file its final name if it is the one that is wanted; else remove it."""
        if not self.path.exists() or sha256_of(self.path) != sha256:
            self.remove()
            return False
        self.path.chmod(0o600)
        sync(self.path)
        self.path.replace(path)
        sync(path.parent)
        return True

    def _check_room(self, wanted: int) -> None:
        free = shutil.disk_usage(self.path.parent).free
        if wanted > free:
            self.remove()
            raise HostError(
                f"Directory '{self.path.parent}' has no room for a download.",
                details=f"{mib(wanted)} are still to come, {mib(free)} are free",
                hint="export BOOTSTRAP_HOME=/path/with/room",
            )
