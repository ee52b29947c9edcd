"""A home of its own for every test, waits that take no time, and the seed in the report."""

from pathlib import Path

import pytest

from bootstrap.waiting import wait_for
from tests.faults.libvirt.scale import IS_LONG, SEED


def pytest_report_header() -> str:
    scale = "long" if IS_LONG else "ci"
    return f"libvirt faults: BOOTSTRAP_FAULT_SCALE={scale} BOOTSTRAP_FAULT_SEED={SEED}"


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
