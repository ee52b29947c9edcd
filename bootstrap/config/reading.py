"""Read a cluster file's bytes, whatever its path leads to."""

import os
import stat
from pathlib import Path

from bootstrap.config.problems import printable
from bootstrap.config.yaml_events import MAX_BYTES
from bootstrap.errors import ConfigError


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
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
