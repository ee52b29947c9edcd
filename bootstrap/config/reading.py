"""Read a cluster file as text, within limits; opening never waits."""

import os
import re
import stat
from pathlib import Path

from bootstrap.config.problems import Place, Problem, printable, shown
from bootstrap.errors import ConfigError

MAX_BYTES = 256 * 1024
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableError(Exception):
    """Reading cannot go on; ``problem`` says why."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.problem = Problem(path=(), message=message, place=place)


def read_content(path: Path) -> bytes:
    """Read at most one byte more than a cluster file may have.

    Only regular files are read: a FIFO would wait for its writer, a device never ends.

    :raises ConfigError: if there is no such file or it cannot be read.
    """
    try:
        return _read(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else None
        raise ConfigError(
            f"Could not read the cluster file '{printable(str(path))}'.",
            details=reason or str(error),
            hint="bootstrap init",
        ) from error


def _read(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a FIFO waits for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("It is not a regular file.")
        return os.read(descriptor, MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def decoded(content: bytes) -> str:
    """Return the file's text.

    :raises UnreadableError: if it is too large, or not printable UTF-8.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableError(f"the file is larger than {MAX_BYTES // 1024} KiB", Place(1, 1))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        raise UnreadableError("the file is not UTF-8 text", _end_of(before)) from error
    if found := _CONTROL.search(text):
        raise UnreadableError(
            f"the control character '{shown(found.group())}' is not text; remove it",
            _end_of(text[: found.start()]),
        )
    return text


def _end_of(text: str) -> Place:
    lines = text.split("\n")
    return Place(len(lines), len(lines[-1]) + 1)
