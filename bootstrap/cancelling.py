"""End a run from another thread: its waits look at a token, and at once they end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class CancelToken:
    """Ends the runs that have it once any thread calls :meth:`cancel`, which is never undone."""

    def __init__(self) -> None:
        self._is_cancelled = threading.Event()
        self._lock = threading.Lock()
        self._actions: list[Callable[[], object]] = []

    @property
    def is_cancelled(self) -> bool:
        """Tell whether a thread has called :meth:`cancel`."""
        return self._is_cancelled.is_set()

    def cancel(self) -> None:
        """End the runs at their next wait, each with a ``CancelledError``; does not wait for it."""
        self._is_cancelled.set()
        with self._lock:
            actions = list(self._actions)
        for action in actions:
            action()

    @contextmanager
    def calling(self, action: Callable[[], object]) -> Iterator[None]:
        """Have :meth:`cancel` call ``action`` during the block, or shortly after it."""
        with self._lock:
            self._actions.append(action)
        try:
            yield
        finally:
            with self._lock:
                self._actions.remove(action)


class Cancelled(BaseException):
    """The run was cancelled.

    As with a signal, nothing takes it for a failed step, after which the run would clean up.
    """


_TOKEN: ContextVar[CancelToken | None] = ContextVar("token", default=None)


@contextmanager
def cancelled_by(token: CancelToken | None) -> Iterator[None]:
    """Have the waits of the block look at ``token``; those of its threads too, by `at_once`."""
    before = _TOKEN.set(token)
    try:
        yield
    finally:
        _TOKEN.reset(before)


def is_cancelled() -> bool:
    """Tell whether the run is cancelled."""
    token = _TOKEN.get()
    return token is not None and token.is_cancelled


def check_cancelled() -> None:
    """Do nothing unless the run is cancelled.

    :raises Cancelled: if it is.
    """
    if is_cancelled():
        raise Cancelled


@contextmanager
def when_cancelled(action: Callable[[], object]) -> Iterator[None]:
    """Have ``action`` end what the block waits for; it does no harm when that has ended.

    :raises Cancelled: if the run is cancelled, whatever the block raised because of it.
    """
    token = _TOKEN.get()
    if token is None:
        yield
        return
    try:
        with token.calling(action):
            check_cancelled()
            yield
    finally:
        check_cancelled()
