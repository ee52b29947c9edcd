"""A cluster on a libvirt whose calls fail, on fakes for all but the hypervisor."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import libvirt

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.deadlines import GENEROUS, Deadlines
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.libvirt.power import domain_state
from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.down import down
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.up import up
from tests.builders import (
    INSTALL,
    FakeWorld,
    a_cluster_spec,
    a_setting,
    options,
    ports_with_fakes,
)

DEMO = ClusterName("demo")
#: Calls that change something; nothing else may be called for a cluster that is as wanted.
MUTATING = frozenset({"create", "resume", "destroy", "defineXMLFlags", "undefineFlags"})
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
        self.world.shell._hypervisor = SimpleNamespace(named=self._named)  # type: ignore[assignment] # noqa: SLF001

    def define_foreign(self) -> str:
        """Define a domain that looks like ours by its name; gives its description."""
        return str(self.real.defineXML(_FOREIGN).XMLDesc())

    def up(self, *, workers: int = 1, deadlines: Deadlines = GENEROUS) -> None:
        """Run `up`."""
        with self._ports(deadlines) as ports:
            up(a_cluster_spec(workers=workers), a_setting(), ports, options())

    def down(self, *, deadlines: Deadlines = GENEROUS) -> None:
        """Run `down`; what boots after it knows of no cluster."""
        with self._ports(deadlines) as ports:
            down(DEMO, ports)
        self.world.api.nodes.clear()

    def states(self) -> dict[str, str]:
        """Say what every domain of this libvirt does."""
        domains = self.real.listAllDomains()
        return {domain.name(): domain_state(domain)[0].value for domain in domains}

    @contextlib.contextmanager
    def _ports(self, deadlines: Deadlines) -> Iterator[Ports]:
        connection = Connection(
            "test", note=self.world.progress.note, connect=self.connect, deadlines=deadlines
        )
        try:
            yield replace(self.world.ports, hypervisor=LibvirtHypervisor(connection, INSTALL))
        finally:
            connection.close()  # with its thread: there are thousands of stories in a run

    def _named(self, name: str) -> SimpleNamespace | None:
        try:
            return SimpleNamespace(state=domain_state(self.real.lookupByName(name))[0])
        except libvirt.libvirtError:
            return None


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
    assert error.message, error
    assert error.details, error.message
    assert error.hint, error.message
    assert "Traceback" not in error.details
