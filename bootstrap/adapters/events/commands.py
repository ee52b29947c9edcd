"""Log commands and libvirt calls, which become events of the run.

They go through Python's own logging, so that code which runs a program needs no port for it.
"""

import contextlib
import logging
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence

_LOGGER = logging.getLogger(__name__)
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.setLevel(logging.DEBUG)
_LOGGER.propagate = False
#: A password in the URL of a mirror or proxy.
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")


def log_command(words: Sequence[str], *, cwd: os.PathLike[str] | None = None) -> None:
    """Log a command in a form that a shell takes, without passwords in URLs."""
    place = ["env", "-C", os.fspath(cwd)] if cwd else []
    _LOGGER.debug("%s", shlex.join(_PASSWORD.sub("***@", word) for word in [*place, *words]))


@contextlib.contextmanager
def commands_to(take: Callable[[str], None]) -> Iterator[None]:
    """Give each command that is logged inside the block to ``take``."""
    handler = _Handler(take)
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)


class _Handler(logging.Handler):
    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(record.getMessage())
