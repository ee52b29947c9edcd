"""Two nodes on a real session daemon, whose guests do nothing at all."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import libvirt

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.deadlines import GENEROUS, Deadlines
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.volumes.store import FileVolumes
from bootstrap.model.cluster import DomainState, NodeImage
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan, SwitchPlan
from bootstrap.planning.members import members_of
from bootstrap.planning.plan import make_plan, wanted_slots
from tests.builders import a_cluster_spec, a_mark, a_site, a_switch_mark, an_image
from tests.fakes.libvirt_world import halting_kernel
from tests.faults.libvirt.daemon import Daemon, hand_over
from tests.processes import free_ports

RUNNING = DomainState.RUNNING


class Hooked:
    """A connection or a domain; ``hook`` runs before each of its calls."""

    def __init__(self, real: object, hook: Callable[[str], None]) -> None:
        self._real, self._hook = real, hook

    def __getattr__(self, name: str) -> object:
        value = getattr(self._real, name)
        if name == "_o":
            # libvirt_qemu's functions take the domain and read only its handle.
            self._hook("qemuMonitorCommand")
            return value

        def call(*args: object) -> object:
            if name != "isAlive":
                self._hook(name)
            return self._wrapped(value(*args))

        return call

    def _wrapped(self, result: object) -> object:
        if isinstance(result, list) and result and isinstance(result[0], libvirt.virDomain):
            return [Hooked(item, self._hook) for item in result]
        return Hooked(result, self._hook) if isinstance(result, libvirt.virDomain) else result


class Cluster:
    """Two nodes on the private daemon, whose guests do nothing at all."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.install = uuid.uuid4()
        self.names: list[str] = []
        self.notes: list[str] = []
        self.on_call: Callable[[int, str], None] = lambda _number, _name: None
        place = daemon.place / self.install.hex[:8]
        place.mkdir()
        self.image = _make_image(place)
        self.plan = _plan(place, self.install)
        volumes = FileVolumes(place / "volumes", self.install, mode=0o711)
        volumes.ensure_switch_directory(self.plan.switch)
        for node in self.plan.nodes:
            volumes.ensure_root_volume(node, image=self.image)
            volumes.ensure_seed_volume(node, {"meta-data": ""})
        hand_over(daemon.place)

    def hypervisor(self, deadlines: Deadlines = GENEROUS) -> LibvirtHypervisor:
        connection = Connection(
            self.daemon.uri, note=self.notes.append, connect=self._connect, deadlines=deadlines
        )
        return LibvirtHypervisor(connection, self.install)

    def start_first(self, hypervisor: LibvirtHypervisor) -> NodePlan:
        """Start the control plane only."""
        node = self.plan.initial_control_plane
        mark = a_mark(self.plan, node)
        hypervisor.ensure_domain(node, mark=mark, image=self.image, emulated=True)
        hypervisor.start_domain(node.domain_name)
        return node

    def start_switch(self, hypervisor: LibvirtHypervisor, *, cables: int) -> SwitchPlan:
        """Start the switch with the cables of the first nodes only."""
        switch = replace(self.plan.switch, cables=self.plan.switch.cables[:cables])
        hypervisor.ensure_switch(switch, mark=a_switch_mark(self.plan))
        hypervisor.start_domain(switch.domain_name)
        return switch

    def live(self, deadlines: Deadlines = GENEROUS) -> None:
        """Do with both domains all that `up` and `down` do with them."""
        hypervisor = self.hypervisor(deadlines)
        for node in self.plan.nodes:
            mark = a_mark(self.plan, node)
            hypervisor.ensure_domain(node, mark=mark, image=self.image, emulated=True)
            hypervisor.start_domain(node.domain_name)
        first = self.plan.initial_control_plane.domain_name
        self.start_switch(hypervisor, cables=1)
        hypervisor.ensure_switch(self.plan.switch, mark=a_switch_mark(self.plan))
        assert [domain.state for domain in hypervisor.domains()] == [RUNNING, RUNNING]
        hypervisor.power_off_domain(first)
        hypervisor.start_domain(first)
        for domain in [*hypervisor.domains(), *hypervisor.switches()]:
            assert hypervisor.remove_domain(domain.uuid)

    def assert_nothing_left(self) -> None:
        """Neither libvirt nor the host has anything of it."""
        assert self.hypervisor().domains() == []
        real = libvirt.open(self.daemon.uri)
        assert [domain.name() for domain in real.listAllDomains()] == []
        real.close()
        assert self.daemon.emulators() == []

    def _connect(self, uri: str) -> object:
        return Hooked(libvirt.open(uri), self._called)

    def _called(self, name: str) -> None:
        self.names.append(name)
        self.on_call(len(self.names), name)


def _make_image(place: Path) -> NodeImage:
    image = replace(an_image(place), kernel=place / "kernel")
    image.disk.write_bytes(bytes(1 << 20))
    image.kernel.write_bytes(halting_kernel())
    image.initrd.write_bytes(bytes(512))
    return image


def _plan(place: Path, install: uuid.UUID) -> ClusterPlan:
    spec = a_cluster_spec("t-" + install.hex[:8])
    groups = tuple(replace(group, memory_mib=64, cpus=1) for group in spec.node_groups)
    spec = replace(spec, node_groups=groups)
    site = a_site(install, state=place / "state", volumes=place / "volumes")
    members = members_of(spec)
    slots = wanted_slots(site, members)
    ports = dict(zip(slots, free_ports(len(slots)), strict=True))
    return make_plan(spec, site, members, ports, acceleration=Acceleration.EMULATED)
