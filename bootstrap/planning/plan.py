"""Turn what is wanted into everything that will exist. Pure: same input, same bytes."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.model.identity import Identity
from bootstrap.model.names import node_name
from bootstrap.model.network import node_address, node_number, node_pod_subnet
from bootstrap.model.plan import Acceleration, ClusterPlan, LinkPlan, NodePlan
from bootstrap.model.spec import ClusterSpec, NodeGroupSpec, NodeRole
from bootstrap.planning.ports import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the plan needs to know of the hypervisor host and its user."""

    install_id: uuid.UUID
    hypervisor_uri: str
    acceleration: Acceleration
    state_directory: Path
    volume_directory: Path


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    group: NodeGroupSpec
    index: int


def wanted_slots(spec: ClusterSpec) -> list[Slot]:
    """List the host ports that a cluster needs, in the order of its nodes."""
    slots: list[Slot] = []
    for member in _members(spec):
        slots.append(Slot(member.name, "ssh"))
        if member.group.role is NodeRole.CONTROL_PLANE:
            slots.append(Slot(member.name, "api"))
        else:
            slots += [Slot(member.name, "link"), Slot(member.name, "control-plane-link")]
    return slots


def make_plan(spec: ClusterSpec, site: Site, ports: Mapping[Slot, int]) -> ClusterPlan:
    """Plan the whole cluster.

    ``ports`` holds a port for each of :func:`wanted_slots`.

    :raises ValueError: if a subnet has no room for all nodes.
    """
    identity = Identity(site.install_id, spec.name)
    members = list(_members(spec))
    links = {
        member.name: _link(identity, member.name, ports)
        for member in members
        if member.group.role is NodeRole.WORKER
    }
    return ClusterPlan(
        name=spec.name,
        install_id=site.install_id,
        hypervisor_uri=site.hypervisor_uri,
        acceleration=site.acceleration,
        kubernetes_version=spec.kubernetes_version,
        mode=spec.networking.mode,
        cni=spec.networking.cni,
        node_subnet=spec.networking.node_subnet,
        pod_subnet=spec.networking.pod_subnet,
        service_subnet=spec.networking.service_subnet,
        security_profile=spec.security.profile,
        state_directory=site.state_directory,
        volume_directory=site.volume_directory,
        nodes=tuple(
            _node(spec, site, identity=identity, ports=ports, links=links, member=member)
            for member in members
        ),
    )


def _members(spec: ClusterSpec) -> Iterator[_Member]:
    for role in NodeRole:
        index = 0
        for group in spec.node_groups:
            for _ in range(group.count if group.role is role else 0):
                yield _Member(node_name(spec.name, role.value, index), group, index)
                index += 1


def _link(identity: Identity, worker: str, ports: Mapping[Slot, int]) -> LinkPlan:
    return LinkPlan(
        node=worker,
        control_plane_mac=identity.mac_of("control-plane-link", worker),
        control_plane_port=ports[Slot(worker, "control-plane-link")],
        node_mac=identity.mac_of("link", worker),
        node_port=ports[Slot(worker, "link")],
    )


def _node(  # noqa: PLR0913 - a private step of make_plan, which holds all of it
    spec: ClusterSpec,
    site: Site,
    *,
    identity: Identity,
    ports: Mapping[Slot, int],
    links: Mapping[str, LinkPlan],
    member: _Member,
) -> NodePlan:
    group = member.group
    is_control_plane = group.role is NodeRole.CONTROL_PLANE
    number = node_number(is_control_plane=is_control_plane, index=member.index)
    return NodePlan(
        name=member.name,
        role=group.role,
        uuid=identity.uuid_of("domain", member.name),
        cpus=group.cpus,
        memory_mib=group.memory_mib,
        disk_gib=group.disk_gib,
        labels=group.labels,
        directory=site.volume_directory / member.name,
        uplink_mac=identity.mac_of("uplink", member.name),
        address=node_address(spec.networking.node_subnet, number),
        pod_subnet=node_pod_subnet(spec.networking.pod_subnet, number),
        ssh_port=ports[Slot(member.name, "ssh")],
        api_port=ports.get(Slot(member.name, "api")),
        links=tuple(links.values()) if is_control_plane else (links[member.name],),
    )
