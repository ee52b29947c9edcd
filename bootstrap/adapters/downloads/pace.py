"""Watch how fast a body comes: too slow is a fault, and the rest gets an estimate."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bootstrap.adapters.downloads.failures import Passing

_MIB = 1 << 20
_REPORT_S = 10


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
    """Counts the bytes of one answer."""

    title: str
    #: Of the whole file; None if the server does not say it.
    total: int | None
    done: int
    patience: Patience
    note: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _began: tuple[float, int] = field(init=False)
    _window: tuple[float, int] = field(init=False)
    _reported: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to measure."""
        self._reported = self.clock()
        self._began = self._window = (self._reported, self.done)

    def start(self) -> None:
        """Report that the file begins to come."""
        size = "" if self.total is None else f" ({mib(self.total)})"
        rest = f", {mib(self.done)} of it are here already" if self.done else ""
        self.note(f"Downloading {self.title}{size}{rest}")

    def add(self, count: int) -> None:
        """Count bytes that came.

        :raises Passing: if the body has stalled.
        """
        self.done += count
        now, (since, before) = self.clock(), self._window
        if now - since >= self.patience.stall_s:
            if self.done - before < self.patience.slowest_bytes:
                raise Passing(f"only {self.done - before} bytes came in {now - since:.0f} s")
            self._window = (now, self.done)
        if now - self._reported >= _REPORT_S:
            self._reported = now
            self.note(self._text(now))

    def _text(self, now: float) -> str:
        if self.total is None:
            return f"Downloading {self.title}: {self.done // _MIB} MiB"
        text = f"Downloading {self.title}: {self.done // _MIB} of {mib(self.total)}"
        since, before = self._began
        speed = (self.done - before) / max(now - since, 1e-3)
        return f"{text}, about {(self.total - self.done) / speed:.0f} s left" if speed else text


def mib(count: int) -> str:
    """Write a number of bytes in MiB, rounded up."""
    return f"{-(-count // _MIB)} MiB"
