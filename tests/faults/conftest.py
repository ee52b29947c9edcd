"""The private libvirt, the nursery, one sandbox a test, and what holds after each."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import scale as how_much
from tests.faults.daemon import Daemon, private_daemon
from tests.faults.sandbox import Sandbox

_REPOSITORY = Path(__file__).parents[2]
_SOURCES = ("bootstrap", "templates", "playbooks", "artifacts")
_TALLY = "faults"


class Scale(Counter[str]):
    """How much is tried, and what came of it."""

    is_long = how_much.IS_LONG
    choose = staticmethod(how_much.trials)

    def most_in_ci(self, number: int) -> int | None:
        """Return how many points are tried at most; None in the long run, which tries all."""
        return None if self.is_long else number

    def count(self, what: str, number: int = 1) -> None:
        """Note a trial and how it went."""
        self[what] += number


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"faults: {how_much.header()}")
    reports = [report for group in terminalreporter.stats.values() for report in group]
    for report in reports:
        # Each process of a parallel run hands its reports to this one.
        if getattr(report, "when", "") == "teardown":
            for name, line in report.user_properties:
                if name == _TALLY:
                    terminalreporter.write_line(line)


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> Iterator[Scale]:
    chosen, began = Scale(), time.monotonic()
    yield chosen
    counts = ", ".join(f"{what} {number}" for what, number in chosen.items())
    line = f"  {request.node.name}: {counts} ({time.monotonic() - began:.0f} s)"
    request.node.user_properties.append((_TALLY, line))


@pytest.fixture
def seeded(request: pytest.FixtureRequest) -> random.Random:
    """Return randomness that the printed seed repeats, with any selection of tests."""
    return how_much.chance(request.node.name)


@pytest.fixture(scope="session")
def _short_place() -> Iterator[Path]:
    # The path of a Unix socket has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="bs-", dir="/tmp") as place:
        yield Path(place)


@pytest.fixture(scope="session")
def daemon(_short_place: Path) -> Iterator[Daemon]:
    if shutil.which("libvirtd", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("libvirtd is not installed")
    with private_daemon(_short_place / "d") as running:
        yield running


@pytest.fixture(scope="session")
def nursery(_short_place: Path) -> Iterator[str]:
    path = _short_place / "n"
    environment = {"PATH": os.environ["PATH"], "HOME": str(_short_place)}
    environment["PYTHONPATH"] = os.pathsep.join([str(_REPOSITORY), *filter(None, sys.path)])
    argv = [sys.executable, "-m", "tests.faults.nursery", str(path)]
    with (_short_place / "nursery.log").open("w") as log:
        process = subprocess.Popen(
            argv, cwd=_REPOSITORY, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    while not path.exists():
        assert process.poll() is None, (_short_place / "nursery.log").read_text()
        time.sleep(0.05)
    yield str(path)
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def sandbox(
    daemon: Daemon, nursery: str, seeded: random.Random, _short_place: Path, _repository_kept: None
) -> Iterator[Sandbox]:
    """Make a user with an empty home; afterwards nothing of it is left."""
    place = Path(tempfile.mkdtemp(prefix="u-", dir=_short_place))
    made = Sandbox(place, daemon, nursery, seeded)
    yield made
    try:
        made.assert_sound()
        after = made.inventory()
    finally:
        left = made.remove_leftovers()
        with contextlib.suppress(OSError):
            shutil.rmtree(place)
    assert not left, f"domains are left: {left}"
    assert after == made.before


@pytest.fixture
def _repository_kept() -> Iterator[None]:
    """No command writes where the program is, nor leaves a name of ours in the shared /tmp."""
    before = _sources()
    yield
    assert _sources() == before


def _sources() -> dict[str, tuple[int, int]]:
    found = {
        f"/tmp/{path.name}": (0, 0) for path in Path(tempfile.gettempdir()).glob(".bootstrap-*")
    }
    for top in _SOURCES:
        for path in (_REPOSITORY / top).rglob("*"):
            if "__pycache__" not in path.parts and path.is_file():
                status = path.stat()
                found[str(path)] = (status.st_mtime_ns, status.st_size)
    return found
