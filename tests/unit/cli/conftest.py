"""The command line on a world of fakes."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bootstrap.composition import Composition
from tests.builders import FakePorts, FakeWorld, a_site, ports_with_fakes
from tests.world import CommandLine


@dataclass
class FakeCommandLine(CommandLine):
    """Runs commands; every adapter behind them is a fake of ``world``."""

    world: FakeWorld


def fake_command_line() -> FakeCommandLine:
    """Return the command line on a host without a cluster."""
    world = ports_with_fakes()
    composition = Composition(
        ports=lambda _, progress, cluster: FakePorts(world, a_site(), progress, cluster)
    )
    return FakeCommandLine(composition, world)


@pytest.fixture
def line() -> FakeCommandLine:
    return fake_command_line()


@pytest.fixture
def demo(line: FakeCommandLine) -> FakeCommandLine:
    line.done("up", "demo")
    return line


def write_consoles(line: FakeCommandLine, directory: Path) -> None:
    """Have `logs --console` find a file, as it would of a node that has booted."""
    (directory / "console.log").write_text("Linux version 6\n")
    for domain in line.world.hypervisor.domains_by_uuid.values():
        assert domain.mark is not None
        domain.mark = replace(domain.mark, directory=directory)
