"""Give a connection a thread of its own, so that a call that hangs can be left behind.

libvirt's keepalive would find a daemon that stopped, but not one that waits for a QEMU that
stopped, nor a hanging connect; and a call in the main thread also holds up Ctrl-C. The thread
owns the connection until the process ends: closing asks the daemon, and would hang too.
"""

import contextlib
import ctypes
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import libvirt

T = TypeVar("T")
Work = Callable[[libvirt.virConnect], T]

#: Python acts on a signal in the main thread only, and a signal that another thread takes,
#: or that comes just before the wait, does not wake it.
_SIGNAL_CHECK_S = 0.5


class HungError(Exception):
    """A call did not come back before its deadline."""


class ConnectionThread:
    """Runs pieces of work, one after the other, with the connection that it has opened."""

    def __init__(self, connect: Callable[[], libvirt.virConnect]) -> None:
        self._work: queue.SimpleQueue[tuple[Work[object], Future[object]] | None]
        self._work = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=_until_abandoned, args=(connect, self._work), name="libvirt", daemon=True
        )
        self._thread.start()

    def run(self, work: Work[T], *, timeout_s: float) -> T:
        """Give what ``work`` returns, or raise what it raises.

        :raises HungError: if ``timeout_s`` seconds pass first. The thread is of no use then.
        """
        answer: Future[T] = Future()
        self._work.put((work, answer))  # type: ignore[arg-type]  # the queue holds any T
        deadline = time.monotonic() + timeout_s
        try:
            while not answer.done():
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise HungError
                wait([answer], min(left_s, _SIGNAL_CHECK_S))
        finally:
            if not answer.done():
                self._abandon()
        return answer.result()

    def _abandon(self) -> None:
        """Let the work end with the call in which it is, should that ever come back.

        Its caller has stopped waiting, so the rest of it must not run beside the next
        caller's work.
        """
        number = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(HungError))

    def end(self, *, timeout_s: float) -> None:
        """Close the connection, unless that hangs."""
        self._work.put(None)
        self._thread.join(timeout_s)


def _until_abandoned(
    connect: Callable[[], libvirt.virConnect],
    work: queue.SimpleQueue[tuple[Work[object], Future[object]] | None],
) -> None:
    # It may also strike just after the work was done.
    with contextlib.suppress(HungError):
        _serve(connect, work)


def _serve(
    connect: Callable[[], libvirt.virConnect],
    work: queue.SimpleQueue[tuple[Work[object], Future[object]] | None],
) -> None:
    connection: libvirt.virConnect | None = None
    while (item := work.get()) is not None:
        task, answer = item
        try:
            connection = connection or connect()
            answer.set_result(task(connection))
        except BaseException as error:
            answer.set_exception(error)
            if isinstance(error, HungError):
                raise
        del item, task, answer
    if connection is not None:
        connection.close()
