"""Look at other processes until they are as they should be, and at those that are started."""

import contextlib
import socket
import sys
import time
from collections.abc import Callable

import psutil

PATIENCE_S = 60
_Listener = Callable[[object, object], None]
_LISTENERS: list[_Listener] = []


def on_start(listener: _Listener) -> None:
    """Call it with the words and the environment of every program that is started from now on.

    What it raises keeps the program from being started.
    """
    if not _LISTENERS:
        # A hook cannot be taken away again; without listeners it does nothing.
        sys.addaudithook(_hook)
    _LISTENERS.append(listener)


def _hook(event: str, given: tuple[object, ...]) -> None:
    if event == "subprocess.Popen":
        _, words, _, environment = given
        for listener in _LISTENERS:
            listener(words, environment)


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds, or fail."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that no process has at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def has_ended(process: psutil.Process) -> bool:
    """Tell whether it is dead; its new parent may leave it a zombie."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def name_of(process: psutil.Process) -> str:
    """Return the kernel's name of its program, or nothing if it has just ended."""
    try:
        return process.name()
    except psutil.Error:
        return ""
