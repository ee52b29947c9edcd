"""D-10: a daemon that has lost its notes calls machines shut off that run (real QEMU)."""

from collections.abc import Callable, Iterator

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.ports import Hypervisor
from tests.builders import INSTALL, a_mark, a_plan, an_image
from tests.fakes.hypervisor import FakeHypervisor
from tests.faults.libvirt.daemon import private_daemon
from tests.faults.libvirt.machines import Cluster

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(1800)]

STRAY = DomainState.STRAY


class Machine:
    """One node that runs, and how its libvirt comes to know nothing of it."""

    def __init__(self, hypervisor: Hypervisor, lose: Callable[[], None]) -> None:
        self.hypervisor, self._lose = hypervisor, lose

    def lost(self) -> Domain:
        self._lose()
        return self.only()

    def only(self) -> Domain:
        (domain,) = self.hypervisor.domains()
        return domain


@pytest.fixture
def fake() -> Machine:
    hypervisor = FakeHypervisor(INSTALL)
    plan = a_plan(install_id=INSTALL)
    node = plan.initial_control_plane
    hypervisor.ensure_domain(node, mark=a_mark(plan, node), image=an_image(), emulated=True)
    hypervisor.start_domain(node.domain_name)

    def lose() -> None:
        hypervisor.domains_by_uuid[node.uuid].state = STRAY

    return Machine(hypervisor, lose)


@pytest.fixture
def real() -> Iterator[Machine]:
    with private_daemon(pytest.skip) as daemon:
        cluster = Cluster(daemon)
        hypervisor = cluster.hypervisor()
        cluster.start_first(hypervisor)

        def lose() -> None:
            for note in (daemon.place / "RUNTIME_DIR/libvirt/qemu/run").iterdir():
                if note.is_file():
                    note.unlink()
            daemon.kill()
            daemon.wait()
            assert len(daemon.emulators()) == 1

        yield Machine(hypervisor, lose)
        assert daemon.emulators() == []


@pytest.fixture(params=["fake", "real"])
def machine(request: pytest.FixtureRequest) -> Machine:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Machine)
    return found


def test_a_machine_that_its_libvirt_lost_is_no_machine_that_is_off(machine: Machine) -> None:
    """It is neither started twice nor left behind: its power is cut, and it starts again."""
    domain = machine.lost()
    assert (domain.state, domain.is_off, domain.is_sick) == (STRAY, False, True)
    for refused in (machine.hypervisor.start_domain, machine.hypervisor.shut_down_domain):
        with pytest.raises(BootstrapError):
            refused(domain.domain_name)
    assert machine.only().state is STRAY
    assert machine.hypervisor.power_off_domain(domain.domain_name)
    assert not machine.hypervisor.power_off_domain(domain.domain_name)
    assert machine.only().state is DomainState.SHUT_OFF
    assert machine.hypervisor.start_domain(domain.domain_name)
    assert machine.only().state is DomainState.RUNNING
    assert machine.hypervisor.remove_domain(domain.uuid)


def test_a_machine_that_its_libvirt_lost_is_removed_whole(machine: Machine) -> None:
    assert machine.hypervisor.remove_domain(machine.lost().uuid)
    assert machine.hypervisor.domains() == []
