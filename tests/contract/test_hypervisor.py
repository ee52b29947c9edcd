"""The Hypervisor port: the fake, libvirt's test driver and real QEMU do the same."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt_qemu
import pytest

from bootstrap.errors import NotFoundError, NotOursError
from bootstrap.model.cluster import Domain, DomainState, Mark
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.model.spec import NodeRole
from bootstrap.ports import Hypervisor
from tests.builders import a_cluster_spec, a_group, a_mark, a_plan
from tests.fakes.libvirt_world import (
    FakeWorldOfDomains,
    LibvirtWorld,
    World,
    driver_world,
    qemu_world,
)

QEMU = pytest.param("qemu", marks=pytest.mark.libvirt)
RUNNING = DomainState.RUNNING


@pytest.fixture(params=["fake", "test driver", QEMU])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        match request.param:
            case "fake":
                yield FakeWorldOfDomains()
            case "test driver":
                yield stack.enter_context(driver_world(tmp_path))
            case _:
                yield stack.enter_context(qemu_world(pytest.skip))


class Cluster:
    """A small cluster on a world, seen by an install of its own."""

    def __init__(self, world: World, *, workers: int = 1, install: uuid.UUID | None = None) -> None:
        self.install = install or uuid.uuid4()
        self.world = world
        self.hypervisor: Hypervisor = world.hypervisor(self.install)
        self.plan = self.planned(workers)
        world.prepare(self.plan)

    def planned(self, workers: int, name: str = "t-demo") -> ClusterPlan:
        spec = a_cluster_spec(name, workers=workers)
        groups = tuple(replace(group, memory_mib=64, cpus=1) for group in spec.node_groups)
        return a_plan(
            replace(spec, node_groups=groups),
            install_id=self.install,
            volumes=self.world.place / "volumes",
        )

    @property
    def control_plane(self) -> NodePlan:
        return self.plan.initial_control_plane

    def ensure(self, node: NodePlan, **mark: object) -> bool:
        return self.hypervisor.ensure_domain(
            node,
            mark=a_mark(self.plan, node, **mark),
            image=self.world.image,
            emulated=True,
        )

    def started(self) -> Domain:
        self.ensure(self.control_plane)
        self.hypervisor.start_domain(self.control_plane.name)
        return self.only()

    def only(self) -> Domain:
        (domain,) = self.hypervisor.domains(self.plan.name)
        return domain


@pytest.fixture
def demo(world: World) -> Cluster:
    return Cluster(world)


def test_defining_twice_changes_nothing(demo: Cluster) -> None:
    """L-01, M7."""
    assert demo.ensure(demo.control_plane)
    before = demo.world.describe(demo.control_plane.name)
    assert not demo.ensure(demo.control_plane)
    assert demo.world.describe(demo.control_plane.name) == before


def test_a_defined_domain_does_not_run(demo: Cluster) -> None:
    demo.ensure(demo.control_plane)
    assert demo.only().state is DomainState.SHUT_OFF


def test_a_changed_plan_is_defined_anew_and_keeps_the_domain_running(demo: Cluster) -> None:
    demo.started()
    node = replace(demo.control_plane, links=demo.planned(2).initial_control_plane.links)
    assert demo.ensure(node)
    assert demo.only().state is RUNNING
    assert not demo.ensure(node)


def test_the_mark_comes_back_with_every_field(demo: Cluster) -> None:
    """H-03: whatever text a field holds."""
    mark = Mark(
        install_id=demo.install,
        owner_uid=4242,
        cluster=demo.plan.name,
        node=demo.control_plane.name,
        role=NodeRole.CONTROL_PLANE,
        ports={"ssh": 20001, "api": 20002},
        directory=Path("/a b/<&>'\"/ü"),
        facts={"acceleration": "emulated", "odd": "a\"b'c<d>&e\tf\ng]]>", "empty": ""},
        created="2030-01-01T00:00:00+00:00",
    )
    demo.hypervisor.ensure_domain(
        demo.control_plane, mark=mark, image=demo.world.image, emulated=True
    )
    assert demo.only() == Domain(
        name=demo.control_plane.name,
        uuid=demo.control_plane.uuid,
        state=DomainState.SHUT_OFF,
        reason=demo.only().reason,
        is_emulated=True,
        mark=mark,
    )


def test_other_clusters_are_listed_apart(demo: Cluster) -> None:
    other = demo.planned(0, name="t-demo-2")
    demo.world.prepare(other)
    demo.ensure(demo.control_plane)
    demo.ensure(other.initial_control_plane, cluster=ClusterName("t-demo-2"))
    assert [domain.name for domain in demo.hypervisor.domains(ClusterName("t-demo"))] == [
        "t-demo-control-plane"
    ]
    assert [domain.name for domain in demo.hypervisor.domains()] == [
        "t-demo-2-control-plane",
        "t-demo-control-plane",
    ]


def test_foreign_domains_are_never_listed_not_even_with_our_name_as_prefix(demo: Cluster) -> None:
    """Z-01, G-05."""
    for name in ("t-demo", "t-demo-control-plane-db", "t-demo-worker2"):
        demo.world.define_foreign(name)
    demo.ensure(demo.control_plane)
    assert [domain.name for domain in demo.hypervisor.domains()] == ["t-demo-control-plane"]


def test_a_foreign_domain_with_our_name_is_refused_and_untouched(demo: Cluster) -> None:
    """L-17."""
    name = demo.control_plane.name
    demo.world.define_foreign(name)
    before = demo.world.describe(name)
    with pytest.raises(NotOursError):
        demo.ensure(demo.control_plane)
    for act in (demo.hypervisor.start_domain, demo.hypervisor.power_off_domain):
        with pytest.raises(NotOursError):
            act(name)
    assert before is not None
    assert demo.world.describe(name) == before


def test_a_foreign_domain_with_our_uuid_is_refused_and_untouched(demo: Cluster) -> None:
    demo.world.define_foreign("t-stranger", demo.control_plane.uuid)
    before = demo.world.describe("t-stranger")
    with pytest.raises(NotOursError):
        demo.ensure(demo.control_plane)
    with pytest.raises(NotOursError):
        demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.world.describe("t-stranger") == before


def test_another_installs_domain_is_refused_and_its_owner_named(demo: Cluster) -> None:
    """H-14."""
    demo.ensure(demo.control_plane, owner_uid=4242)
    before = demo.world.describe(demo.control_plane.name)
    second = Cluster(demo.world)
    with pytest.raises(NotOursError) as caught:
        second.ensure(second.control_plane)
    assert "4242" in caught.value.details
    assert str(demo.install) in caught.value.details
    assert second.hypervisor.domains() == []
    with pytest.raises(NotOursError):
        second.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.world.describe(demo.control_plane.name) == before


def test_starting_a_running_domain_changes_nothing(demo: Cluster) -> None:
    """L-09."""
    assert demo.started().state is RUNNING
    assert not demo.hypervisor.start_domain(demo.control_plane.name)
    assert demo.only().state is RUNNING


def test_a_paused_domain_is_told_and_resumed(demo: Cluster) -> None:
    """L-10."""
    demo.started()
    demo.world.pause(demo.control_plane.name)
    assert demo.only().state is DomainState.PAUSED
    assert demo.hypervisor.start_domain(demo.control_plane.name)
    assert demo.only().state is RUNNING


def test_a_saved_domain_is_told_and_restored(demo: Cluster) -> None:
    """D-02."""
    demo.started()
    demo.world.save(demo.control_plane.name)
    assert demo.only().state is DomainState.SAVED
    assert demo.hypervisor.start_domain(demo.control_plane.name)
    assert demo.only().state is RUNNING


def test_power_goes_off_once(demo: Cluster) -> None:
    """L-09."""
    demo.started()
    assert demo.hypervisor.power_off_domain(demo.control_plane.name)
    assert demo.only().state is DomainState.SHUT_OFF
    assert not demo.hypervisor.power_off_domain(demo.control_plane.name)


def test_a_domain_that_is_not_there_is_not_found(demo: Cluster) -> None:
    with pytest.raises(NotFoundError):
        demo.hypervisor.start_domain("t-demo-worker9")


@pytest.mark.parametrize("state", ["shut off", "running", "paused", "saved"])
def test_a_domain_is_removed_in_whatever_state(demo: Cluster, state: str) -> None:
    """L-11, L-12, M16, M17."""
    demo.ensure(demo.control_plane)
    if state != "shut off":
        demo.started()
    if state == "paused":
        demo.world.pause(demo.control_plane.name)
    if state == "saved":
        demo.world.save(demo.control_plane.name)
    assert demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.world.describe(demo.control_plane.name) is None
    assert demo.hypervisor.domains() == []
    assert not demo.hypervisor.remove_domain(demo.control_plane.uuid)


def test_a_removed_domain_can_be_made_again(demo: Cluster) -> None:
    """Z-08."""
    demo.started()
    demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.started().state is RUNNING


def test_a_domain_that_was_started_with_its_cable_has_it(demo: Cluster) -> None:
    demo.started()
    assert not demo.hypervisor.ensure_link(demo.control_plane, demo.plan.workers[0].name)


@pytest.fixture
def qemu() -> Iterator[LibvirtWorld]:
    with qemu_world(pytest.skip) as world:
        yield world


def _udp_sockets() -> set[str]:
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines}


def _qemu(world: LibvirtWorld, name: str, command: str) -> str:
    request = {"execute": "human-monitor-command", "arguments": {"command-line": command}}
    answer = libvirt_qemu.qemuMonitorCommand(world.raw(name), json.dumps(request), 0)
    return str(json.loads(answer)["return"])


@pytest.mark.libvirt
def test_a_cable_is_plugged_into_a_running_qemu_once(qemu: LibvirtWorld) -> None:
    demo = Cluster(qemu, workers=0)
    demo.started()
    grown = demo.planned(1).initial_control_plane
    link = grown.links[0]
    assert demo.ensure(grown)
    assert demo.hypervisor.ensure_link(grown, link.node)
    network = _qemu(qemu, grown.name, "info network")
    assert link.control_plane_mac in network
    assert f"0100007F:{link.control_plane_port:04X}" in _udp_sockets()
    assert not demo.hypervisor.ensure_link(grown, link.node)
    assert _qemu(qemu, grown.name, "info network") == network


@pytest.mark.libvirt
def test_a_cable_whose_plugging_was_cut_off_half_way_is_finished(qemu: LibvirtWorld) -> None:
    demo = Cluster(qemu, workers=0)
    demo.started()
    grown = demo.planned(1).initial_control_plane
    link = grown.links[0]
    name = "link-" + link.control_plane_mac.replace(":", "")
    backend = {
        "type": "socket",
        "id": f"{name}-net",
        "udp": f"127.0.0.1:{link.node_port}",
        "localaddr": f"127.0.0.1:{link.control_plane_port}",
    }
    request = json.dumps({"execute": "netdev_add", "arguments": backend})
    libvirt_qemu.qemuMonitorCommand(qemu.raw(grown.name), request, 0)
    assert demo.hypervisor.ensure_link(grown, link.node)
    assert link.control_plane_mac in _qemu(qemu, grown.name, "info network")


@pytest.mark.libvirt
def test_a_plugged_cable_is_there_after_power_was_off(qemu: LibvirtWorld) -> None:
    demo = Cluster(qemu, workers=0)
    demo.started()
    grown = demo.planned(1).initial_control_plane
    demo.ensure(grown)
    demo.hypervisor.ensure_link(grown, grown.links[0].node)
    demo.hypervisor.power_off_domain(grown.name)
    demo.hypervisor.start_domain(grown.name)
    assert grown.links[0].control_plane_mac in _qemu(qemu, grown.name, "info network")
    assert not demo.hypervisor.ensure_link(grown, grown.links[0].node)


@pytest.mark.libvirt
def test_nothing_but_loopback_listens(qemu: LibvirtWorld) -> None:
    """SEC-24, SEC-25: of all that a running QEMU has bound."""
    demo = Cluster(qemu)
    before = _sockets()
    demo.started()
    new = _sockets() - before
    assert len(new) >= 3  # SSH, the API server, one cable
    assert {address.split(":")[0] for address in new} == {"0100007F"}


def _sockets() -> set[str]:
    listening = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == "0A":
            listening.add(local)
    return listening | _udp_sockets()


@pytest.mark.libvirt
def test_libvirts_log_of_a_removed_domain_is_gone(qemu: LibvirtWorld) -> None:
    """L-19, M18."""
    demo = Cluster(qemu)
    demo.started()
    demo.hypervisor.remove_domain(demo.control_plane.uuid)
    places = [Path("/var/log/libvirt/qemu"), Path.home() / ".cache", Path.home() / "xdg-cache"]
    left = [path for place in places for path in place.rglob(f"{demo.control_plane.name}*")]
    assert left == []


def test_a_domain_of_eight_cables_is_taken_by_libvirt(tmp_path: Path) -> None:
    """L-13: what we write passes libvirt's own schema, with KVM too."""
    spec = a_cluster_spec("t-demo", workers=0)
    groups = (*spec.node_groups, a_group(NodeRole.WORKER, 8))
    plan = a_plan(replace(spec, node_groups=groups))
    with driver_world(tmp_path) as world:
        hypervisor = world.hypervisor(plan.install_id)
        for node in plan.nodes:
            mark = a_mark(plan, node)
            assert hypervisor.ensure_domain(node, mark=mark, image=world.image, emulated=False)
        assert len(hypervisor.domains()) == 9
