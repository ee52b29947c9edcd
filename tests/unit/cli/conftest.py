"""The command line on a world of fakes."""

from dataclasses import dataclass

import pytest

from bootstrap.composition import Composition
from tests.builders import FakePorts, FakeWorld, a_site, ports_with_fakes
from tests.world import CommandLine


@dataclass
class FakeCommandLine(CommandLine):
    """Runs commands; every adapter behind them is a fake of ``world``."""

    world: FakeWorld


@pytest.fixture
def line() -> FakeCommandLine:
    world = ports_with_fakes()
    composition = Composition(
        ports=lambda _, progress, cluster: FakePorts(world, a_site(), progress, cluster)
    )
    return FakeCommandLine(composition, world)


@pytest.fixture
def demo(line: FakeCommandLine) -> FakeCommandLine:
    line.done("up", "demo")
    return line
