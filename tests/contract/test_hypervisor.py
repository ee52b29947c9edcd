"""The Hypervisor port: the fake, libvirt's test driver and real QEMU do the same.

QEMU answers slowly where libvirt asks it for its abilities anew, so it gets the stories
that only it can tell; the many small cases run on the other two.
"""

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import libvirt_qemu
import psutil
import pytest

from bootstrap.adapters.libvirt import memory
from bootstrap.adapters.libvirt.cables import cable_end
from bootstrap.errors import BootstrapError, NotFoundError, NotOursError
from bootstrap.model.cluster import Domain, DomainState, Mark
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.model.spec import NodeRole
from bootstrap.ports import Hypervisor
from bootstrap.waiting import NotYet, wait_for
from tests.builders import a_cluster_spec, a_mark, a_plan, a_switch_mark
from tests.fakes.libvirt_world import (
    FakeWorldOfDomains,
    LibvirtWorld,
    World,
    driver_world,
    qemu_world,
)

RUNNING = DomainState.RUNNING
with_qemu = pytest.mark.parametrize(
    "world",
    ["fake", "test driver", pytest.param("qemu", marks=pytest.mark.libvirt)],
    indirect=True,
)


@pytest.fixture(params=["fake", "test driver"])
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

    def __init__(self, world: World, *, workers: int = 1, like: "Cluster | None" = None) -> None:
        self.install = uuid.uuid4()
        # Others test on the same libvirt, so names are not the same twice.
        self.name: str = like.name if like else f"t-{self.install.hex[:8]}"
        self.world = world
        self.hypervisor: Hypervisor = world.hypervisor(self.install)
        self.plan = self.planned(workers)
        if like is None:
            world.prepare(self.plan)

    def planned(self, workers: int, suffix: str = "") -> ClusterPlan:
        spec = a_cluster_spec(self.name + suffix, workers=workers)
        groups = tuple(replace(group, memory_mib=64, cpus=1) for group in spec.node_groups)
        return a_plan(
            replace(spec, node_groups=groups),
            install_id=self.install,
            volumes=self.world.place / "volumes",
            uri=self.world.uri,
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
        self.hypervisor.start_domain(self.control_plane.domain_name)
        return self.only()

    def only(self) -> Domain:
        (domain,) = self.hypervisor.domains(self.plan.name)
        return domain

    def described(self) -> str | None:
        return self.world.describe(self.control_plane.domain_name)


@pytest.fixture
def demo(world: World) -> Cluster:
    return Cluster(world)


def test_defining_twice_changes_nothing(demo: Cluster) -> None:
    """L-01, M7."""
    assert demo.ensure(demo.control_plane)
    before = demo.described()
    assert not demo.ensure(demo.control_plane)
    assert demo.described() == before


def test_a_defined_domain_does_not_run(demo: Cluster) -> None:
    demo.ensure(demo.control_plane)
    assert demo.only().state is DomainState.SHUT_OFF


def test_a_changed_plan_is_defined_anew_and_keeps_the_domain_running(demo: Cluster) -> None:
    demo.started()
    node = replace(demo.control_plane, memory_mib=72)
    assert demo.ensure(node)
    assert demo.only().state is RUNNING
    assert not demo.ensure(node)


#: Text that would be something else in XML, were it pasted.
HOSTILE = {"odd": "a\"b'c<d>&e\tf\ng]]>--><!--", "empty": "", "entity": "&amp;&#10;"}


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
        facts={"acceleration": "emulated", **HOSTILE},
        created="2030-01-01T00:00:00+00:00",
    )
    node, image = demo.control_plane, demo.world.image
    demo.hypervisor.ensure_domain(node, mark=mark, image=image, emulated=True)
    found = demo.only()
    assert (found.name, found.domain_name) == (node.name, node.domain_name)
    assert (found.uuid, found.mark) == (node.uuid, mark)
    assert found.is_emulated
    assert found.state is DomainState.SHUT_OFF


def test_other_clusters_are_listed_apart(demo: Cluster) -> None:
    other = demo.planned(0, suffix="-2")
    demo.ensure(demo.control_plane)
    demo.ensure(other.initial_control_plane, cluster=other.name)
    assert [domain.domain_name for domain in demo.hypervisor.domains(demo.plan.name)] == [
        f"{demo.name}-control-plane"
    ]
    assert [domain.domain_name for domain in demo.hypervisor.domains()] == [
        f"{demo.name}-2-control-plane",
        f"{demo.name}-control-plane",
    ]


def test_foreign_domains_are_never_listed_not_even_with_our_name_as_prefix(demo: Cluster) -> None:
    """Z-01, G-05."""
    for suffix in ("", "-control-plane-db", "-worker2"):
        demo.world.define_foreign(demo.name + suffix)
    demo.ensure(demo.control_plane)
    assert [domain.domain_name for domain in demo.hypervisor.domains()] == [
        demo.control_plane.domain_name
    ]


def test_a_foreign_domain_with_our_name_is_refused_and_untouched(demo: Cluster) -> None:
    """L-17."""
    name = demo.control_plane.domain_name
    demo.world.define_foreign(name)
    before = demo.world.describe(name)
    with pytest.raises(NotOursError):
        demo.ensure(demo.control_plane)
    hypervisor = demo.hypervisor
    for act in (
        hypervisor.start_domain,
        hypervisor.shut_down_domain,
        hypervisor.suspend_domain,
        hypervisor.power_off_domain,
    ):
        with pytest.raises(NotOursError):
            act(name)
    assert before is not None
    assert demo.world.describe(name) == before


def test_a_copy_of_our_domain_with_our_mark_is_not_ours(demo: Cluster) -> None:
    """SEC-27: a clone of a node stays, although the mark in it is ours."""
    node = replace(demo.control_plane, domain_name="t-copy", uuid=uuid.uuid4())
    mark = a_mark(demo.plan, demo.control_plane)
    demo.hypervisor.ensure_domain(
        demo.control_plane, mark=mark, image=demo.world.image, emulated=True
    )
    with contextlib.suppress(NotOursError):
        demo.hypervisor.ensure_domain(node, mark=mark, image=demo.world.image, emulated=True)
    assert [domain.domain_name for domain in demo.hypervisor.domains()] == [
        demo.control_plane.domain_name
    ]
    with pytest.raises(NotOursError):
        demo.hypervisor.remove_domain(node.uuid)
    assert demo.world.describe("t-copy")


def test_a_foreign_domain_with_our_uuid_is_refused_and_untouched(demo: Cluster) -> None:
    demo.world.define_foreign("t-foreign", demo.control_plane.uuid)
    before = demo.world.describe("t-foreign")
    with pytest.raises(NotOursError):
        demo.ensure(demo.control_plane)
    with pytest.raises(NotOursError):
        demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.world.describe("t-foreign") == before


def test_another_installs_domain_is_refused_and_its_owner_named(demo: Cluster) -> None:
    """H-14."""
    demo.ensure(demo.control_plane, owner_uid=4242)
    before = demo.described()
    second = Cluster(demo.world, like=demo)
    with pytest.raises(NotOursError) as caught:
        second.ensure(second.control_plane)
    assert "4242" in caught.value.details
    assert str(demo.install) in caught.value.details
    assert second.hypervisor.domains() == []
    with pytest.raises(NotOursError):
        second.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.described() == before


def test_starting_a_running_domain_changes_nothing(demo: Cluster) -> None:
    """L-09."""
    assert demo.started().state is RUNNING
    assert not demo.hypervisor.start_domain(demo.control_plane.domain_name)
    assert demo.only().state is RUNNING


def test_a_domain_with_power_says_what_it_uses(demo: Cluster) -> None:
    name = demo.started().domain_name
    demo.ensure(demo.plan.workers[0])
    found = demo.hypervisor.use(demo.plan.name)
    assert set(found) == {name}
    assert found[name].memory_mib > 0
    assert demo.hypervisor.use(demo.plan.name)[name].cpu_s >= found[name].cpu_s


def test_a_paused_domain_is_told_and_resumed(demo: Cluster) -> None:
    """L-10."""
    demo.started()
    demo.world.pause(demo.control_plane.domain_name)
    assert demo.only().state is DomainState.PAUSED
    assert demo.hypervisor.start_domain(demo.control_plane.domain_name)
    assert demo.only().state is RUNNING


def test_a_saved_domain_is_told_and_restored(demo: Cluster) -> None:
    """D-02."""
    demo.started()
    demo.world.save(demo.control_plane.domain_name)
    assert demo.only().state is DomainState.SAVED
    assert demo.hypervisor.start_domain(demo.control_plane.domain_name)
    assert demo.only().state is RUNNING


def test_a_guest_that_hears_its_power_button_shuts_down(demo: Cluster) -> None:
    demo.started()
    assert demo.hypervisor.shut_down_domain(demo.control_plane.domain_name)
    assert demo.only().state is DomainState.SHUT_OFF
    assert demo.only().is_off
    assert not demo.hypervisor.shut_down_domain(demo.control_plane.domain_name)


def test_a_suspended_guest_keeps_its_power_and_goes_on(demo: Cluster) -> None:
    demo.started()
    name = demo.control_plane.domain_name
    assert demo.hypervisor.suspend_domain(name)
    assert not demo.hypervisor.suspend_domain(name)
    assert (demo.only().state, demo.only().is_off) == (DomainState.PAUSED, False)
    assert demo.hypervisor.start_domain(name)
    assert demo.only().state is RUNNING


def test_a_guest_that_is_off_cannot_be_suspended(demo: Cluster) -> None:
    demo.ensure(demo.control_plane)
    with pytest.raises(BootstrapError):
        demo.hypervisor.suspend_domain(demo.control_plane.domain_name)
    assert demo.only().state is DomainState.SHUT_OFF


def test_power_goes_off_once(demo: Cluster) -> None:
    """L-09."""
    demo.started()
    assert demo.hypervisor.power_off_domain(demo.control_plane.domain_name)
    assert demo.only().state is DomainState.SHUT_OFF
    assert not demo.hypervisor.power_off_domain(demo.control_plane.domain_name)


@pytest.mark.parametrize(
    "world", ["fake", pytest.param("qemu", marks=pytest.mark.libvirt)], indirect=True
)
def test_a_running_domain_is_lent_a_file_as_a_disk_until_its_power_goes(demo: Cluster) -> None:
    """libvirt's test driver has no disks that come and go; the guest here never lets go of one."""
    name, path = demo.control_plane.domain_name, demo.world.place / f"{'0' * 64}.tar"
    demo.ensure(demo.control_plane)
    demo.world.write(path, bytes(1024))
    with pytest.raises(BootstrapError):
        demo.hypervisor.attach_disk(name, path)
    demo.started()
    before = demo.described()
    assert not demo.hypervisor.detach_disks(name)
    assert demo.hypervisor.attach_disk(name, path) == "bootstrap-0000000000"
    attached = demo.described()
    assert str(path) in str(attached)
    assert demo.hypervisor.attach_disk(name, path) == "bootstrap-0000000000"
    assert demo.described() == attached != before
    assert not demo.ensure(demo.control_plane)
    demo.hypervisor.power_off_domain(name)
    demo.hypervisor.start_domain(name)
    assert str(path) not in str(demo.described())
    assert not demo.hypervisor.detach_disks(name)


def test_a_foreign_domain_is_lent_nothing(demo: Cluster) -> None:
    """L-17."""
    name = demo.control_plane.domain_name
    demo.world.define_foreign(name)
    with pytest.raises(NotOursError):
        demo.hypervisor.attach_disk(name, Path("/x.tar"))
    with pytest.raises(NotOursError):
        demo.hypervisor.detach_disks(name)


def test_a_domain_that_is_not_there_is_not_found(demo: Cluster) -> None:
    with pytest.raises(NotFoundError):
        demo.hypervisor.start_domain(f"{demo.name}-worker9")


@pytest.mark.parametrize("state", ["shut off", "running", "paused", "saved"])
def test_a_domain_is_removed_in_whatever_state(demo: Cluster, state: str) -> None:
    """L-11, L-12, M16, M17."""
    demo.ensure(demo.control_plane)
    if state != "shut off":
        demo.started()
    if state == "paused":
        demo.world.pause(demo.control_plane.domain_name)
    if state == "saved":
        demo.world.save(demo.control_plane.domain_name)
    assert demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.described() is None
    assert demo.hypervisor.domains() == []
    assert not demo.hypervisor.remove_domain(demo.control_plane.uuid)


def test_a_removed_domain_can_be_made_again(demo: Cluster) -> None:
    """Z-08."""
    demo.started()
    demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.started().state is RUNNING


def test_a_switch_is_listed_apart_from_the_nodes(demo: Cluster) -> None:
    demo.ensure(demo.control_plane)
    mark = a_switch_mark(demo.plan)
    assert demo.hypervisor.ensure_switch(demo.plan.switch, mark=mark)
    assert not demo.hypervisor.ensure_switch(demo.plan.switch, mark=mark)
    assert demo.only().name == "control-plane"
    (switch,) = demo.hypervisor.switches(demo.plan.name)
    assert (switch.domain_name, switch.mark) == (f"{demo.name}-switch", mark)
    assert switch.state is DomainState.SHUT_OFF
    assert [one.uuid for one in demo.hypervisor.switches()] == [demo.plan.switch.uuid]
    assert demo.hypervisor.remove_domain(demo.plan.switch.uuid)
    assert demo.hypervisor.switches() == []
    assert demo.only().name == "control-plane"


def test_a_foreign_domain_with_the_switchs_name_is_refused_and_untouched(demo: Cluster) -> None:
    """L-17."""
    name = demo.plan.switch.domain_name
    demo.world.define_foreign(name)
    before = demo.world.describe(name)
    with pytest.raises(NotOursError):
        demo.hypervisor.ensure_switch(demo.plan.switch, mark=a_switch_mark(demo.plan))
    assert demo.world.describe(name) == before


def test_a_cluster_of_another_layout_is_listed_and_removed(demo: Cluster) -> None:
    demo.ensure(demo.control_plane, layout=1, ports={}, facts={})
    found = demo.only()
    assert (found.mark.layout, found.mark.owner_uid) == (1, 1000)
    assert demo.hypervisor.remove_domain(found.uuid)
    assert demo.hypervisor.domains() == []


@pytest.mark.parametrize(
    "world", ["fake", pytest.param("qemu", marks=pytest.mark.libvirt)], indirect=True
)
def test_a_running_switch_gets_the_cable_of_a_new_node_and_keeps_running(demo: Cluster) -> None:
    def ensure(workers: int) -> bool:
        plan = demo.planned(workers)
        return demo.hypervisor.ensure_switch(plan.switch, mark=a_switch_mark(plan))

    name = demo.plan.switch.domain_name
    assert ensure(1)
    assert demo.hypervisor.start_domain(name)
    assert not ensure(1)
    assert ensure(2)
    (switch,) = demo.hypervisor.switches()
    assert switch.state is RUNNING
    assert not ensure(2)
    demo.hypervisor.power_off_domain(name)
    demo.hypervisor.start_domain(name)
    assert not ensure(2)


@pytest.mark.parametrize(
    "world", ["fake", pytest.param("qemu", marks=pytest.mark.libvirt)], indirect=True
)
def test_a_running_switch_loses_the_cable_of_a_node_and_keeps_running(demo: Cluster) -> None:
    def ensure(workers: int) -> bool:
        plan = demo.planned(workers)
        return demo.hypervisor.ensure_switch(plan.switch, mark=a_switch_mark(plan))

    assert ensure(2)
    assert demo.hypervisor.start_domain(demo.plan.switch.domain_name)
    assert ensure(1)
    (switch,) = demo.hypervisor.switches()
    assert switch.state is RUNNING
    assert not ensure(1)
    assert ensure(2)
    assert not ensure(2)


@with_qemu
def test_a_domain_lives_and_goes(demo: Cluster) -> None:
    """L-09 to L-12, L-17, L-19, M16 to M18, as one story: each step is the next one's past."""
    foreign = f"{demo.name}-worker"
    demo.world.define_foreign(foreign)
    untouched = demo.world.describe(foreign)
    with pytest.raises(NotOursError):
        demo.ensure(demo.plan.workers[0])
    name = demo.control_plane.domain_name
    assert demo.ensure(demo.control_plane, facts=HOSTILE)
    assert demo.started().state is RUNNING
    assert demo.only().mark.facts == HOSTILE
    demo.world.pause(name)
    assert demo.only().state is DomainState.PAUSED
    assert demo.hypervisor.start_domain(name)
    demo.world.save(name)
    assert demo.only().state is DomainState.SAVED
    assert demo.hypervisor.start_domain(name)
    assert not demo.hypervisor.start_domain(name)
    demo.world.save(name)
    assert demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert demo.described() is None
    assert not demo.hypervisor.remove_domain(demo.control_plane.uuid)
    assert _logs(name) == []
    assert demo.world.describe(foreign) == untouched


def _logs(name: str) -> list[Path]:
    places = [Path("/var/log/libvirt/qemu"), Path.home()]
    return [path for place in places for path in place.rglob(f"{name}*")]


@pytest.fixture
def qemu() -> Iterator[LibvirtWorld]:
    with qemu_world(pytest.skip) as world:
        yield world


@pytest.mark.libvirt
def test_an_emulator_listens_on_loopback_and_in_the_clusters_own_directory(
    qemu: LibvirtWorld,
) -> None:
    """SEC-24, SEC-25."""
    demo = Cluster(qemu)
    demo.started()
    demo.hypervisor.ensure_switch(demo.plan.switch, mark=a_switch_mark(demo.plan))
    demo.hypervisor.start_domain(demo.plan.switch.domain_name)
    node = demo.control_plane
    ends = [node.cable.node_end] if isinstance(node.cable.node_end, int) else []
    ports = {node.ssh_port, node.api_port, *ends}
    assert _bound(node.domain_name) == {("127.0.0.1", port) for port in ports}
    cables = [cable.switch_end for cable in demo.plan.switch.cables]
    switch_ports = {end for end in cables if isinstance(end, int)}
    assert _bound(demo.plan.switch.domain_name) == {("127.0.0.1", port) for port in switch_ports}
    sockets = {end for end in cables if isinstance(end, Path)}
    assert all(end.is_socket() for end in sockets)


@pytest.mark.libvirt
def test_half_a_port_that_a_kill_left_is_completed(qemu: LibvirtWorld) -> None:
    demo = Cluster(qemu, workers=0)
    demo.hypervisor.ensure_switch(demo.plan.switch, mark=a_switch_mark(demo.plan))
    name = demo.plan.switch.domain_name
    demo.hypervisor.start_domain(name)
    grown = demo.planned(1).switch
    cable = grown.cables[1]
    half = cable_end(f"cable-{cable.node}", local=cable.switch_end, remote=cable.node_end)
    _monitor(qemu, name, "netdev_add", **half)
    assert demo.hypervisor.ensure_switch(grown, mark=a_switch_mark(demo.plan))
    network = _monitor(qemu, name, "human-monitor-command", **{"command-line": "info network"})
    for part in ("cable", "port"):
        assert network.count(f"{part}-{cable.node}:") == 1
    assert not demo.hypervisor.ensure_switch(grown, mark=a_switch_mark(demo.plan))


@pytest.mark.libvirt
def test_half_a_port_that_a_kill_left_of_a_removal_goes(qemu: LibvirtWorld) -> None:
    demo = Cluster(qemu, workers=1)
    demo.hypervisor.ensure_switch(demo.plan.switch, mark=a_switch_mark(demo.plan))
    name, smaller = demo.plan.switch.domain_name, demo.planned(0).switch
    demo.hypervisor.start_domain(name)
    _monitor(qemu, name, "netdev_del", id="port-worker")
    assert demo.hypervisor.ensure_switch(smaller, mark=a_switch_mark(demo.plan))
    network = _monitor(qemu, name, "human-monitor-command", **{"command-line": "info network"})
    assert "worker" not in network.replace(demo.name, "")
    assert "port-control-plane: cable-control-plane: " in network
    assert not demo.hypervisor.ensure_switch(smaller, mark=a_switch_mark(demo.plan))


def _monitor(world: LibvirtWorld, name: str, command: str, **arguments: object) -> str:
    request = json.dumps({"execute": command, "arguments": arguments})
    answer = json.loads(libvirt_qemu.qemuMonitorCommand(world.raw(name), request, 0))
    return str(answer["return"])


def _bound(name: str) -> set[tuple[str, int]]:
    """List every socket that the domain's emulator has bound (SEC-24, SEC-25)."""
    (emulator,) = [
        process
        for process in psutil.process_iter(["cmdline"])
        if f"guest={name}," in " ".join(process.info["cmdline"] or ())
    ]
    return {(item.laddr.ip, item.laddr.port) for item in emulator.net_connections("inet")}


@pytest.mark.parametrize("uri", ["qemu:///session", "qemu:///system"])
def test_one_hundred_nodes_and_their_switch_are_taken_by_libvirt(tmp_path: Path, uri: str) -> None:
    """L-13: what we write passes libvirt's own schema, with KVM too."""
    plan = a_plan(a_cluster_spec("t-demo", workers=99), uri=uri)
    with driver_world(tmp_path) as world:
        hypervisor = world.hypervisor(plan.install_id)
        assert hypervisor.ensure_switch(plan.switch, mark=a_switch_mark(plan))
        for node in plan.nodes:
            mark = a_mark(plan, node)
            assert hypervisor.ensure_domain(node, mark=mark, image=world.image, emulated=False)
        assert len(hypervisor.domains()) == 100
        assert len(hypervisor.switches()) == 1


with_memory = pytest.mark.parametrize(
    "world", ["fake", pytest.param("qemu", marks=pytest.mark.libvirt)], indirect=True
)


def registers(demo: Cluster, name: str) -> str:
    """Return what a guest's processor holds; the same text for every guest of the fake."""
    if not isinstance(demo.world, LibvirtWorld):
        return ""
    raw = demo.world.raw(name)
    return str(libvirt_qemu.qemuMonitorCommand(raw, "info registers", 1))


def generation(demo: Cluster, name: str) -> str:
    """Return by what a guest sees that its memory is used a second time; the fake has none."""
    if not isinstance(demo.world, LibvirtWorld):
        return ""
    raw = demo.world.raw(name)
    return str(libvirt_qemu.qemuMonitorCommand(raw, "info vm-generation-id", 1))


@with_memory
def test_memory_is_saved_and_goes_on_in_this_domain_and_in_another(
    demo: Cluster, tmp_path: Path
) -> None:
    """As one story, since QEMU starts slowly: save, go on, and two machines of one memory."""
    clone = Cluster(demo.world)
    name, other = demo.control_plane.domain_name, clone.control_plane.domain_name
    demo.started()
    file = tmp_path / "memory"
    with pytest.raises(BootstrapError):
        demo.hypervisor.save_memory({f"{name}x": file})
    demo.hypervisor.suspend_domain(name)
    held = registers(demo, name)
    demo.hypervisor.save_memory({name: file})
    assert file.stat().st_size > 0
    assert demo.only().state is DomainState.PAUSED
    demo.hypervisor.start_domain(name)
    assert demo.only().state is RUNNING
    with pytest.raises(BootstrapError):
        demo.hypervisor.restore_memory({name: file})
    assert demo.only().state is RUNNING

    clone.ensure(clone.control_plane)
    before = clone.hypervisor.domains(clone.plan.name)[0].mark
    clone.hypervisor.restore_memory({other: file})
    assert clone.only().state is DomainState.PAUSED
    assert clone.only().mark == before
    assert registers(clone, other) == held
    generations = {generation(demo, name), generation(clone, other)}
    assert len(generations) == (2 if isinstance(demo.world, LibvirtWorld) else 1)
    clone.hypervisor.start_domain(other)
    assert (clone.only().state, demo.only().state) == (RUNNING, RUNNING)
    clone.hypervisor.power_off_domain(other)
    assert not clone.ensure(clone.control_plane)  # defined as before
    assert clone.hypervisor.start_domain(other)


@with_memory
def test_memory_that_is_damaged_starts_nothing(demo: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "memory"
    file.write_bytes(b"\0" * 4096)
    demo.ensure(demo.control_plane)
    with pytest.raises(BootstrapError) as caught:
        demo.hypervisor.restore_memory({demo.control_plane.domain_name: file})
    if isinstance(demo.world, LibvirtWorld):
        assert "QEMU ended while it transferred the memory" in caught.value.message
    assert demo.only().state is not RUNNING


@with_memory
def test_what_is_saved_once_is_not_written_over(demo: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "memory"
    file.write_text("mine")
    demo.started()
    demo.hypervisor.suspend_domain(demo.control_plane.domain_name)
    with pytest.raises((BootstrapError, FileExistsError)):
        demo.hypervisor.save_memory({demo.control_plane.domain_name: file})
    assert file.read_text() == "mine"


@pytest.mark.libvirt
@pytest.mark.parametrize("world", ["qemu"], indirect=True)
def test_a_guest_whose_save_was_killed_goes_on(
    demo: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-06: QEMU writes on after the process that asked for it is gone, and would stop then."""
    assert isinstance(demo.world, LibvirtWorld)
    name = demo.control_plane.domain_name
    demo.started()
    demo.hypervisor.suspend_domain(name)
    raw = demo.world.raw(name)
    monkeypatch.setattr(memory, "_UNLIMITED", 10_000)  # it takes seconds then
    memory.begin_saving(raw, tmp_path / "memory")
    assert not memory.is_transferred(raw)
    assert demo.hypervisor.start_domain(name)
    assert demo.only().state is RUNNING
    with pytest.raises(BootstrapError, match="not transferred: cancel"):
        wait_for("the end of it", lambda: ended(raw), timeout_s=60, interval_s=0.1)
    assert demo.only().state is RUNNING


def ended(raw: libvirt.virDomain) -> None:
    if not memory.is_transferred(raw):
        raise NotYet
