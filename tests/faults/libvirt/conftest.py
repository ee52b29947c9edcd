"""A home of its own for every test, waits that take no time."""

from pathlib import Path

import pytest

from bootstrap.waiting import wait_for


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the only sleep pass on the only clock."""
    pauses: list[float] = []
    defaults = wait_for.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", pauses.append)
    monkeypatch.setitem(defaults, "clock", lambda: sum(pauses))
