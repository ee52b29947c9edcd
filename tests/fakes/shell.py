"""Nodes that answer by SSH as soon as their domains have booted well."""

from collections.abc import Callable, Iterator

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
        #: Programs of the nodes: each answers a command that is its own.
        self.programs: list[Callable[[Reachable, str], ShellResult | None]] = []
        #: The nodes whose clocks are wrong until they are set.
        self.wrong_clocks: set[str] = set()
        #: The control planes whose certificates end within days, until they are renewed.
        self.old_certificates: set[str] = set()
        #: What came in by stdin last, by the names of cluster and node.
        self.stdin: dict[tuple[str, str], str] = {}
        #: By the node's name and the command.
        self.answers_of: dict[tuple[str, str], ShellResult] = {}
        self._hypervisor, self._volumes = hypervisor, volumes

    def is_ready(self, node: Reachable) -> None:
        self.called("is_ready", node.name)
        self._reach(node)

    def run(
        self, node: Reachable, command: str, *, timeout_s: float, stdin: str = ""
    ) -> ShellResult:
        self.called("run", node.name)
        assert timeout_s > 0
        self._reach(node)
        if stdin:
            self.stdin[node.directory.parent.name, node.name] = stdin
        for program in self.programs:
            if answer := program(node, command):
                return answer
        known = " ".join(sorted(self.memory(node)))
        if "date -s" in command and node.name in self.wrong_clocks:
            self.wrong_clocks.remove(node.name)
            known += " clock-was-off"
        if "checkend" in command and node.name in self.old_certificates:
            known += " certificates-end-soon"
        if "certs renew" in command:
            self.old_certificates.discard(node.name)
        if (node.name, command) in self.answers_of:
            return self.answers_of[node.name, command]
        return self.answers.get(command, ShellResult(exit_status=0, stdout=known, stderr=""))

    def follow(self, node: Reachable, command: str) -> Iterator[str]:
        self.called("follow", node.name)
        self._reach(node)
        found = self.answers.get(command, ShellResult(exit_status=0, stdout="booted\n", stderr=""))
        yield from found.stdout.removesuffix("\n").split("\n")

    def memory(self, node: Reachable) -> set[str]:
        """Return what the node remembers of what was done on it."""
        held = self._volumes.held[node.directory.parent.name]
        return held.memory.setdefault(node.name, set())

    def _reach(self, node: Reachable) -> None:
        domain = self._hypervisor.of_node(node.name, node.directory.parent.name)
        if domain is None or domain.state is not DomainState.RUNNING:
            raise NotYet("connection refused")
        if PANIC in self._volumes.consoles.get(node.name, ""):
            raise NotYet("timed out")
