"""A cluster on a libvirt whose calls fail, on fakes for all but the hypervisor."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import libvirt

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.deadlines import GENEROUS, Deadlines
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.libvirt.power import domain_state
from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import ClusterSpec
from bootstrap.workflow.down import down
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.membership import planned_names
from bootstrap.workflow.node_changes import remove_nodes
from bootstrap.workflow.node_removal import Removal
from bootstrap.workflow.up import up
from tests.builders import INSTALL, FakeWorld, a_cluster_spec, options, ports_with_fakes

DEMO = ClusterName("demo")
Rest = Callable[[ClusterName, Collection[str], Ports], object]
Wake = Callable[[ClusterSpec, Collection[str], Ports], object]
#: Calls that change something; nothing else may be called for a cluster that is as wanted.
MUTATING = frozenset(
    {"create", "resume", "suspend", "shutdown", "destroy", "defineXMLFlags", "undefineFlags"}
)
_FOREIGN = """<domain type='test'><name>demo-worker9</name>
<memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os></domain>"""


@dataclass
class Story:
    """What a user does with one cluster; libvirt is reached as ``connect`` has it."""

    real: libvirt.virConnect
    connect: Callable[[str], object]
    world: FakeWorld = field(default_factory=ports_with_fakes)

    def __post_init__(self) -> None:
        # The fake nodes answer when the real domains run.
        self.world.shell._hypervisor = SimpleNamespace(of_node=self._of_node)  # type: ignore[assignment] # noqa: SLF001

    def define_foreign(self) -> str:
        """Define a domain that looks like ours by its name; gives its description."""
        return str(self.real.defineXML(_FOREIGN).XMLDesc())

    def up(self, *, workers: int = 1, deadlines: Deadlines = GENEROUS) -> None:
        with self._ports(deadlines) as ports:
            up(a_cluster_spec(workers=workers), ports, options())

    def remove(self, *, deadlines: Deadlines = GENEROUS) -> None:
        """Run `node remove` of the second worker, as long as the cluster has it."""
        with self._ports(deadlines) as ports:
            if "worker2" in planned_names(DEMO, ports.hypervisor):
                remove_nodes(a_cluster_spec(), ["worker2"], ports, Removal())

    def rest(self, verb: Rest, *, deadlines: Deadlines = GENEROUS) -> None:
        """Run `stop` or `suspend`."""
        with self._ports(deadlines) as ports:
            verb(DEMO, (), ports)

    def wake(self, verb: Wake, *, deadlines: Deadlines = GENEROUS) -> None:
        """Run `start`, `resume` or `reboot`."""
        with self._ports(deadlines) as ports:
            verb(a_cluster_spec(), (), ports)

    def down(self, *, deadlines: Deadlines = GENEROUS) -> None:
        """Run `down`; what boots after it knows of no cluster."""
        with self._ports(deadlines) as ports:
            down(DEMO, ports)
        self.world.api.nodes.clear()

    def states(self) -> dict[str, str]:
        domains = self.real.listAllDomains()
        return {domain.name(): domain_state(domain)[0].value for domain in domains}

    @contextlib.contextmanager
    def _ports(self, deadlines: Deadlines) -> Iterator[Ports]:
        connection = Connection(
            "test", note=self.world.events.note, connect=self.connect, deadlines=deadlines
        )
        try:
            ports = self.world.ports
            ports.hypervisor = LibvirtHypervisor(connection, INSTALL)
            yield ports
        finally:
            connection.close()  # with its thread: there are thousands of stories in a run

    def _of_node(self, name: str, cluster: str) -> SimpleNamespace | None:
        domain = next(
            (it for it in self.real.listAllDomains() if it.name() == f"{cluster}-{name}"), None
        )
        return SimpleNamespace(state=domain_state(domain)[0]) if domain else None


def ended_well(act: Callable[[], None]) -> bool:
    """Tell whether it succeeded; else it must have failed as a user may see it."""
    try:
        act()
    except BootstrapError as error:
        _assert_fit_for_a_user(error)
        return False
    return True


def _assert_fit_for_a_user(error: BootstrapError) -> None:
    assert error.exit_code in {3, 5, 6, 7}, error
    assert all((error.message, error.details, error.hint)), error
    assert "Traceback" not in error.details
