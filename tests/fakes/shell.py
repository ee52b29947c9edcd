"""Nodes that answer by SSH as soon as their domains have booted well."""

from bootstrap.model.cluster import DomainState
from bootstrap.ports import Reachable, ShellResult
from bootstrap.waiting import NotYet
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.recording import Fake, Journal
from tests.fakes.volumes import PANIC, FakeVolumes


class FakeShell(Fake):
    """Implements ``NodeShell`` for the domains of a fake hypervisor."""

    port = "shell"

    def __init__(
        self, hypervisor: FakeHypervisor, volumes: FakeVolumes, journal: Journal | None = None
    ) -> None:
        super().__init__(journal)
        self.answers: dict[str, ShellResult] = {}
        self._hypervisor, self._volumes = hypervisor, volumes

    def is_ready(self, node: Reachable) -> None:
        self.called("is_ready", node.name)
        self._reach(node)

    def run(self, node: Reachable, command: str, *, timeout_s: float) -> ShellResult:
        self.called("run", node.name)
        assert timeout_s > 0
        self._reach(node)
        return self.answers.get(command, ShellResult(exit_status=0, stdout="", stderr=""))

    def _reach(self, node: Reachable) -> None:
        domain = self._hypervisor.named(node.name)
        if domain is None or domain.state is not DomainState.RUNNING:
            raise NotYet("connection refused")
        if PANIC in self._volumes.consoles.get(node.name, ""):
            raise NotYet("timed out")
