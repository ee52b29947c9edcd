"""The command line on a world of fakes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner, Result

from bootstrap.adapters.directories import find_directories
from bootstrap.cli import wiring
from bootstrap.cli.group import cli
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from tests.builders import FakeWorld, a_setting, ports_with_fakes


@dataclass
class CommandLine:
    """Runs commands; every adapter behind them is a fake of ``world``."""

    world: FakeWorld

    def run(self, *words: str) -> Result:
        """Run one command; stdout, stderr and exit code are told apart."""
        result = CliRunner().invoke(cli, words, prog_name="bootstrap")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def done(self, *words: str) -> str:
        """Run a command that must end well, and give what it wrote on stdout."""
        result = self.run(*words)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def failed(self, exit_code: int, *words: str) -> str:
        """Run a command that must fail; stdout stays empty, and stderr is given."""
        result = self.run(*words)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        return result.stderr


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    world = ports_with_fakes()
    fakes: dict[str, Callable[..., object]] = {
        "build_hypervisor": lambda _site: world.hypervisor,
        "build_volumes": lambda _site: world.volumes,
        "build_api": lambda: world.api,
        "build_products": lambda _site, _cluster: world.products,
        "build_shell": lambda _site, _cluster: world.shell,
        "build_ports": lambda _site, _cluster, progress: replace(world.ports, progress=progress),
        "build_setting": lambda _site, cluster: a_setting(str(cluster)),
        "build_planning_ports": lambda _site: wiring.PlanningPorts(
            hypervisor=world.hypervisor,
            is_port_free=lambda port: port not in world.host.used_ports,
            acceleration=lambda: Acceleration.KVM,
        ),
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(wiring, name, fake)
    monkeypatch.setattr(wiring, "_LOCK_PATIENCE_S", 0)
    return CommandLine(world)


@pytest.fixture
def demo(line: CommandLine) -> CommandLine:
    """Have a cluster `demo`, with the kubeconfig that its commands look for."""
    line.done("up", "demo")
    state = find_directories().cluster_state(ClusterName("demo"))
    state.mkdir()
    (state / "kubeconfig").write_text("{}\n")
    (state / "inventory.yml").write_text("all: {}\n")
    return line
