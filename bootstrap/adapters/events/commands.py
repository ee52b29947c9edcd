"""Log commands and libvirt calls, which become events of the run.

They go through the context of the thread, so that code which runs a program needs no port for
it, and that runs in several threads do not get each other's.
"""

import contextlib
import os
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar

_TAKE: ContextVar[Callable[[str], None] | None] = ContextVar("take", default=None)
#: A password in the URL of a mirror or proxy.
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")


def log_command(words: Sequence[str], *, cwd: os.PathLike[str] | None = None) -> None:
    """Log a command in a form that a shell takes, without passwords in URLs."""
    if take := _TAKE.get():
        place = ["env", "-C", os.fspath(cwd)] if cwd else []
        take(shlex.join(_PASSWORD.sub("***@", word) for word in [*place, *words]))


@contextlib.contextmanager
def commands_to(take: Callable[[str], None]) -> Iterator[None]:
    """Give each command that is logged inside the block to ``take``."""
    before = _TAKE.set(take)
    try:
        yield
    finally:
        _TAKE.reset(before)
