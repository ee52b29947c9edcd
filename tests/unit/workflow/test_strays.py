"""D-10: machines that run and that their libvirt does not know are neither started nor left."""

from collections.abc import Callable

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import ClusterState, DomainState
from bootstrap.model.names import ClusterName
from bootstrap.workflow.down import down
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.start import reboot, start
from bootstrap.workflow.status import status
from bootstrap.workflow.stop import stop, suspend
from bootstrap.workflow.up import up
from bootstrap.workflow.verification import verify
from tests.builders import FakeWorld, a_cluster_spec, options

DEMO = ClusterName("demo")
REFUSING: dict[str, Callable[[Ports], object]] = {
    "up": lambda ports: up(a_cluster_spec(), ports, options()),
    "start": lambda ports: start(a_cluster_spec(), (), ports),
    "suspend": lambda ports: suspend(DEMO, (), ports),
    "verify": lambda ports: verify(DEMO, ports),
}


@pytest.fixture
def lost(world: FakeWorld) -> FakeWorld:
    """A verified cluster whose libvirt has lost every machine."""
    up(a_cluster_spec(), world.ports, options())
    for domain in world.hypervisor.domains_by_uuid.values():
        domain.state = DomainState.STRAY
    world.journal.clear()
    return world


@pytest.mark.parametrize("ask", REFUSING.values(), ids=REFUSING)
def test_nothing_is_started_beside_them(lost: FakeWorld, ask: Callable[[Ports], object]) -> None:
    with pytest.raises(BootstrapError, match="run, but their libvirt calls them") as caught:
        ask(lost.ports)
    assert caught.value.hint == "bootstrap stop demo"
    assert "demo-worker" in caught.value.details
    assert lost.journal.changes == []


def test_their_cluster_is_sick(lost: FakeWorld) -> None:
    assert status(DEMO, lost.ports).state is ClusterState.SICK


def test_stop_has_them_write_their_files_and_ends_them(lost: FakeWorld) -> None:
    assert stop(DEMO, (), lost.ports).changed == ["worker", "control-plane"]
    assert not any(call.startswith("hypervisor.shut_down") for call in lost.journal.calls)
    calls = lost.journal.calls
    assert calls.index("shell.run worker") < calls.index("hypervisor.power_off_domain demo-worker")
    assert {one.state for one in lost.hypervisor.domains_by_uuid.values()} == {DomainState.SHUT_OFF}
    start(a_cluster_spec(), (), lost.ports)


def test_reboot_ends_them_and_starts_them(lost: FakeWorld) -> None:
    lost.hypervisor.power_off_domain("demo-switch")
    assert reboot(a_cluster_spec(), (), lost.ports).checks


def test_down_leaves_none_of_them(lost: FakeWorld) -> None:
    down(DEMO, lost.ports)
    assert lost.hypervisor.domains_by_uuid == {}
