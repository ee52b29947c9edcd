"""Report that the host refused to read or write a file (R-13, R-14)."""

import contextlib
import errno
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from bootstrap.errors import BootstrapError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_MIB = 1 << 20


@contextlib.contextmanager
def explained(action: str) -> Iterator[None]:
    """Convert an OSError of the block, or of the decorated function, to a BootstrapError.

    ``action`` completes the sentence "Could not ...". A BrokenPipeError passes: the reader of
    the output ended, and no file failed.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise file_error(action, error) from error


def file_error(action: str, error: OSError) -> BootstrapError:
    """Return an error with the file, the reason and the free space of its file system."""
    name = error.filename2 or error.filename
    if not isinstance(name, str) or not os.path.isabs(name):  # noqa: PTH117 - a name, not yet a path
        return BootstrapError(f"Could not {action}.", details=str(error), hint="df -h")
    place = next(path for path in Path(name).parents if path.is_dir())
    free = f"{shutil.disk_usage(place).free // _MIB} MiB are free under '{place}'."
    look = "df -h" if error.errno in _FULL else "ls -ld"
    return BootstrapError(
        f"Could not {action}.", details=f"{error}\n{free}", hint=f"{look} {shlex.quote(str(place))}"
    )
