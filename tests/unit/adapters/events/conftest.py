"""A run whose times are known."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bootstrap.adapters.events.stream import Clock, EventStream
from bootstrap.ports import EventReader

Begin = Callable[..., EventStream]


@pytest.fixture
def begin() -> Begin:
    """Return what begins a run of known times: each event comes 1.5 s after the one before."""

    def begun(*readers: EventReader) -> EventStream:
        readings = iter(range(10**6))
        start = datetime(2030, 1, 2, 3, 4, 5, 678900, UTC)
        elapsed = 0.0

        def monotonic() -> float:
            nonlocal elapsed
            elapsed = 1.5 * next(readings)
            return 1000 + elapsed

        clock = Clock(utc=lambda: start + timedelta(seconds=elapsed + 1.5), monotonic=monotonic)
        return EventStream(*readers, run="20300102T030405Z-00c0ffee", clock=clock)

    return begun
