"""A world of fakes whose waits take no time."""

import pytest

from bootstrap.waiting import wait_for
from tests.builders import FakeWorld, ports_with_fakes


@pytest.fixture
def world() -> FakeWorld:
    return ports_with_fakes()


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the only sleep pass on the only clock; gives what was slept."""
    pauses: list[float] = []
    defaults = wait_for.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", pauses.append)
    monkeypatch.setitem(defaults, "clock", lambda: sum(pauses))
    return pauses
