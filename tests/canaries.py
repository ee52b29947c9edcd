"""Watch for secrets: every key and token that our code makes, wherever a test could show it.

Made secrets are noted as they are made, and those of other processes are found in the files
that may hold them. Afterwards all else that was written is searched (G-25, G-26, H-15, H-16).
"""

import base64
import contextlib
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bootstrap.adapters.trust import pem, ssh_keys, token
from tests import processes

#: Where secrets belong, by the end of the path.
PLACES = (
    *("*/pki/authorities.json", "*/pki/encryption-key", "*/pki/user.json"),
    *("*/ssh/client", "*/ssh/host-*", "*/kubeconfig", "*/.kube/config"),
    *("*/nodes/*.files", "*/seed.iso", "*/ansible/secrets.json"),
)
#: Files of ours that a writer has not yet given their name.
_UNFINISHED = re.compile(r"\.bootstrap-(.+)\.[a-z0-9_]{8}")
_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\n|\s)+(.+?)(?:\\n|\s)+-----END", re.DOTALL
)
#: The first line of every OpenSSH key, which says nothing but what it is.
_NO_SECRET = "b3BlbnNzaC1rZXktdjEA"
_LONG_LINE = 40
_LARGEST_SEARCHED = 4 << 20
_Texts = list[tuple[str, str]]


class Canaries:
    """What one test made and showed."""

    def __init__(self) -> None:
        self.needles: dict[str, str] = {}
        self.shown: _Texts = []
        self._children: list[tuple[Any, Any]] = []

    def clear(self) -> None:
        self.needles.clear()
        self.shown.clear()
        self._children.clear()

    def note(self, secret: str, what: str) -> None:
        """Remember a secret, and the forms in which it would be found."""
        for key in _PEM.findall(secret):
            for line in key.replace("\\n", "\n").split():
                if len(line) >= _LONG_LINE and not line.startswith(_NO_SECRET):
                    self.needles[line] = what
        if "PRIVATE KEY" in secret:
            self.needles[_encoded_secret(secret)] = what
        else:
            self.needles[secret] = what

    def note_child(self, argv: object, environment: object) -> None:
        """Remember how a program was called: every user of the host may read that."""
        # The environment is read when the child starts, since it may be ours and change.
        self._children.append((argv, dict(os.environ) if environment is None else environment))

    def leaks(self, roots: Iterable[Path], allowed: Iterable[str] = ()) -> list[str]:
        """Name each place that shows a secret, and each secret file that others may read."""
        found_files = (file for root in roots for file in _files(root))
        files = [file for file in found_files if not _is_place(file, allowed)]
        kept = [file for file in files if _is_place(file, PLACES)]
        for file in kept:
            _harvest(self, file)
        if not self.needles:
            return []
        found = [f"{file} is {mode:o}" for file in kept if (mode := self._mode(file)) & 0o077]
        others = [text for file in files if file not in set(kept) for text in _texts(file)]
        called = [("a child's call", f"{argv} {env}") for argv, env in self._children]
        for where, text in (*others, *self.shown, *called):
            found += {
                f"{what} in {where}" for needle, what in self.needles.items() if needle in text
            }
        return found

    def _mode(self, file: Path) -> int:
        text = _read(file)
        is_secret = any(needle in text for needle in self.needles)
        return file.stat().st_mode & 0o777 if is_secret else 0


CANARIES = Canaries()


def install() -> None:
    """Listen where secrets are made and where output goes; once for all tests."""
    _listen(pem, "_private_pem", lambda made: CANARIES.note(made, "a private key"))
    # Eight characters are an identifier's or less; the rest of a token is its secret.
    _listen(token, "make_bootstrap_token", lambda made: CANARIES.note(made, "a join token"))
    _listen(token, "_random", _note_random)
    read_key = ssh_keys.SshKeyPair.from_private.__func__  # type: ignore[attr-defined]

    def from_private(cls: type, text: str) -> object:
        CANARIES.note(text, "an SSH key")
        return read_key(cls, text)

    ssh_keys.SshKeyPair.from_private = classmethod(from_private)  # type: ignore[assignment]
    _listen(CliRunner, "invoke", lambda done: CANARIES.shown.append(("output", done.output)))
    _listen(pytest.CaptureFixture, "readouterr", lambda read: _note_output("capture", read))
    _listen(subprocess.Popen, "communicate", lambda read: _note_output("a child", read))
    processes.on_start(CANARIES.note_child)


def _listen(owner: object, name: str, hear: Callable[[Any], None]) -> None:
    original = getattr(owner, name)

    def listening(*values: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
        result = original(*values, **more)
        hear(result)
        return result

    setattr(owner, name, listening)


def _note_random(made: str) -> None:
    if len(made) > len("abcdef"):
        CANARIES.note(made, "a join token")


def _note_output(where: str, read: Iterable[object]) -> None:
    for text in read:
        if text:
            shown = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
            CANARIES.shown.append((where, shown))


def _files(root: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(root):
        for name in names:
            file = Path(directory, name)
            if file.is_file() and not file.is_symlink():
                yield file


def _texts(file: Path) -> Iterator[tuple[str, str]]:
    """Return the text of a file, and of each file in an archive."""
    yield str(file), _read(file)
    if file.name.endswith(".tar.gz"):
        with contextlib.suppress(OSError, tarfile.TarError), tarfile.open(file) as archive:
            for entry in archive:
                if found := archive.extractfile(entry):
                    text = found.read(_LARGEST_SEARCHED).decode("latin-1")
                    yield f"{file}/{entry.name}", text


def _is_place(file: Path, places: Iterable[str]) -> bool:
    unfinished = _UNFINISHED.fullmatch(file.name)
    name = str(file.with_name(unfinished[1]) if unfinished else file)
    return any(fnmatch(name, place) for place in places)


def _harvest(canaries: Canaries, file: Path) -> None:
    for match in _PEM.finditer(_read(file)):
        canaries.note(match[0].replace("\\n", "\n"), "a private key")
    if file.name == "encryption-key" and (key := _read(file).strip()):
        canaries.note(key, "the key of the Secrets in etcd")


def _encoded_secret(pem_text: str) -> str:
    """Return the secret's own part of a key that is encoded once more, as in a kubeconfig."""
    encoded = base64.b64encode(pem_text.encode()).decode()
    return encoded[336:396] if "OPENSSH" in pem_text else encoded[60:112]


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST_SEARCHED).decode("latin-1")
    except OSError:
        return ""
