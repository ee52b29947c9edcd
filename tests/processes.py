"""Look at other processes until they are as they should be."""

import time
from collections.abc import Callable

import psutil

PATIENCE_S = 60


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds, or fail."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_ended(process: psutil.Process) -> bool:
    """Tell whether it is dead; whoever has inherited it may leave it unburied."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def name_of(process: psutil.Process) -> str:
    """Give the kernel's name of its program, or nothing of one that has just ended."""
    try:
        return process.name()
    except psutil.Error:
        return ""
