"""Do several pieces of work at once, in a way that a signal ends."""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import TypeVar, cast

from bootstrap.cancelling import (
    Cancelled,
    CancelToken,
    cancelled_by,
    check_cancelled,
    when_cancelled,
)
from bootstrap.errors import BootstrapError

T = TypeVar("T")
Item = TypeVar("Item")

_THREADS = 16
#: Python acts on a signal in the main thread only, and a wait without a limit may sleep on.
_SIGNAL_CHECK_S = 0.5


def at_once(
    work: Callable[[Item], T], items: Sequence[Item], *, threads: int = _THREADS
) -> list[T]:
    """Return what ``work`` gives for each item, in their order, or raise the first failure.

    At most ``threads`` items are worked on at the same time. If the run is cancelled, the work that
    has begun comes to its next wait first, so that nothing of it happens behind the next run.

    The work of a thread that a signal leaves behind ends with the process, at the latest: a pool
    of threads would hold up the process until the last one has answered.
    """
    futures = _ended(work, items, threads)
    check_cancelled()
    return [future.result() for future in futures]


def together(first: Callable[[], T], *others: Callable[[], object], threads: int = _THREADS) -> T:
    """Return what ``first`` gives, with the others done at the same time.

    At most ``threads`` of them run at once. What fails cancels the rest, of which nothing is
    needed then.

    :raises BootstrapError: if one fails; its details have the failures that came with it.
    """
    token = CancelToken()

    def do(work: Callable[[], T]) -> T:
        try:
            return work()
        except BaseException:
            token.cancel()
            raise

    works = cast("Sequence[Callable[[], T]]", (first, *others))
    try:
        with when_cancelled(token.cancel), cancelled_by(token):
            futures = _ended(do, works, threads)
    except BaseException:
        token.cancel()
        raise
    errors = [error for future in futures if (error := future.exception()) is not None]
    # What was cancelled has no failure of its own.
    errors.sort(key=lambda error: isinstance(error, Cancelled))
    if errors:
        raise _joined(errors)
    return futures[0].result()


def _joined(errors: Sequence[BaseException]) -> BaseException:
    first, *others = errors
    for other in others:
        if isinstance(first, BootstrapError) and isinstance(other, BootstrapError):
            first.details = f"{first.details}\nAlso: {other.summary}".lstrip()
    return first


def _ended(work: Callable[[Item], T], items: Sequence[Item], threads: int) -> "list[Future[T]]":
    """Do the work for all items; return what became of each, in their order."""
    jobs: queue.SimpleQueue[tuple[Future[T], Item]] = queue.SimpleQueue()
    futures: list[Future[T]] = []
    for item in items:
        futures.append(Future())
        jobs.put((futures[-1], item))
    for _ in range(min(threads, len(items))):
        # Each thread belongs to the run of this one: its token, and what takes its commands.
        serve = partial(contextvars.copy_context().run, _serve, work, jobs)
        threading.Thread(target=serve, name="at-once", daemon=True).start()
    while wait(futures, _SIGNAL_CHECK_S).not_done:
        pass
    return futures


def _serve(work: Callable[[Item], T], jobs: "queue.SimpleQueue[tuple[Future[T], Item]]") -> None:
    while True:
        try:
            future, item = jobs.get_nowait()
        except queue.Empty:
            return
        try:
            check_cancelled()
            future.set_result(work(item))
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            future.set_exception(error)


def within(seconds: float, work: Callable[[Item], T], items: Sequence[Item]) -> list["Future[T]"]:
    """Do the work for all items at once, and return after some seconds with what is done.

    A future that is not done then ends with the process, at the latest.
    """
    futures: list[Future[T]] = [Future() for _ in items]
    for future, item in zip(futures, items, strict=True):
        jobs: queue.SimpleQueue[tuple[Future[T], Item]] = queue.SimpleQueue()
        jobs.put((future, item))
        threading.Thread(target=_serve, args=(work, jobs), name="within", daemon=True).start()
    deadline = time.monotonic() + seconds
    while wait(futures, min(_SIGNAL_CHECK_S, max(0, deadline - time.monotonic()))).not_done:
        if time.monotonic() >= deadline:
            break
    return futures
