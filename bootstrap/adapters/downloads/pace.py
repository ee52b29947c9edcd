"""Watch how fast a body comes: too slow is a fault."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bootstrap.adapters.downloads.failures import Passing
from bootstrap.model.events import Unit
from bootstrap.ports import Events

_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for."""

    connect_s: float = 10
    #: Without a byte, or with fewer than ``slowest_bytes`` in this time, the body has stalled.
    stall_s: float = 30
    slowest_bytes: int = 30 << 10
    #: In a row that bring less than ``worthwhile_bytes`` each.
    attempts: int = 5
    worthwhile_bytes: int = _MIB
    #: Before the second attempt; doubled before each further one.
    first_pause_s: float = 1
    #: A server that asks for a longer pause is not waited for.
    longest_pause_s: float = 120


@dataclass(slots=True, kw_only=True)
class Pace:
    """Counts the bytes of one answer, and reports them."""

    title: str
    #: Of the whole file; None if the server does not say it.
    total: int | None
    done: int
    patience: Patience
    events: Events
    clock: Callable[[], float] = time.monotonic
    _window: tuple[float, int] = field(init=False)

    def __post_init__(self) -> None:
        """Begin to measure."""
        self._window = (self.clock(), self.done)
        self._report()

    def add(self, count: int) -> None:
        """Count bytes that came.

        :raises Passing: if the body has stalled.
        """
        self.done += count
        self._report()
        now, (since, before) = self.clock(), self._window
        if now - since >= self.patience.stall_s:
            if self.done - before < self.patience.slowest_bytes:
                raise Passing(f"only {self.done - before} bytes came in {now - since:.0f} s")
            self._window = (now, self.done)

    def _report(self) -> None:
        self.events.progress(self.title, self.done, self.total, Unit.BYTES)


def mib(count: int) -> str:
    """Write a number of bytes in MiB, rounded up."""
    return f"{-(-count // _MIB)} MiB"
