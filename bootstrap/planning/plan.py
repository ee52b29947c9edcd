"""Turn what is wanted into everything that will exist. Pure: same input, same bytes."""

from collections.abc import Iterable, Mapping

from bootstrap.model.identity import Identity, mac_of
from bootstrap.model.names import SWITCH, domain_name
from bootstrap.model.network import node_address, node_number, node_pod_subnet
from bootstrap.model.plan import Acceleration, CablePlan, ClusterPlan, NodePlan, SwitchPlan
from bootstrap.model.site import Site
from bootstrap.model.spec import ClusterSpec, NodeRole
from bootstrap.planning.members import Member
from bootstrap.planning.ports import Slot


def wanted_slots(site: Site, members: Iterable[Member]) -> list[Slot]:
    """List the host ports that a cluster needs, in the order of its nodes."""
    slots: list[Slot] = []
    for member in members:
        uses = ["ssh"]
        if member.group.role is NodeRole.CONTROL_PLANE:
            uses.append("api")
        if not site.has_private_sockets:
            uses += ["cable", "switch"]
        slots += [Slot(member.name, use) for use in uses]
    return slots


def make_plan(
    spec: ClusterSpec,
    site: Site,
    members: Iterable[Member],
    ports: Mapping[Slot, int],
    *,
    acceleration: Acceleration,
) -> ClusterPlan:
    """Plan the whole cluster of ``members``.

    ``ports`` holds a port for each of :func:`wanted_slots`.

    :raises ValueError: if a subnet has no room for all nodes.
    """
    identity = Identity(site.install_id, spec.name)
    nodes = tuple(_node(spec, site, identity, member, ports) for member in members)
    return ClusterPlan(
        spec=spec,
        install_id=site.install_id,
        hypervisor_uri=site.hypervisor_uri,
        acceleration=acceleration,
        state_directory=site.state_directory(spec.name),
        volume_directory=site.volume_directory(spec.name),
        switch=SwitchPlan(
            domain_name=domain_name(spec.name, SWITCH),
            uuid=identity.uuid_of("domain", SWITCH),
            directory=site.volume_directory(spec.name) / SWITCH,
            cables=tuple(node.cable for node in nodes),
        ),
        nodes=nodes,
    )


def _node(
    spec: ClusterSpec,
    site: Site,
    identity: Identity,
    member: Member,
    ports: Mapping[Slot, int],
) -> NodePlan:
    group = member.group
    is_control_plane = group.role is NodeRole.CONTROL_PLANE
    number = node_number(is_control_plane=is_control_plane, index=member.index)
    return NodePlan(
        name=member.name,
        domain_name=domain_name(spec.name, member.name),
        role=group.role,
        uuid=identity.uuid_of("domain", member.name),
        cpus=group.cpus,
        memory_mib=group.memory_mib,
        disk_gib=group.disk_gib,
        labels=group.labels,
        kubelet_version=spec.kubelet_of(group),
        directory=site.volume_directory(spec.name) / member.name,
        uplink_mac=mac_of("uplink", member.name),
        cluster_mac=mac_of("cluster", member.name),
        address=node_address(spec.networking.node_subnet, number),
        pod_subnet=node_pod_subnet(spec.networking.pod_subnet, number),
        ssh_port=ports[Slot(member.name, "ssh")],
        api_port=ports.get(Slot(member.name, "api")),
        cable=_cable(spec, site, member.name, number, ports),
    )


def _cable(
    spec: ClusterSpec, site: Site, node: str, number: int, ports: Mapping[Slot, int]
) -> CablePlan:
    if not site.has_private_sockets:
        node_end, switch_end = ports[Slot(node, "cable")], ports[Slot(node, "switch")]
        return CablePlan(node=node, node_end=node_end, switch_end=switch_end)
    # Short names: a socket's path may have 107 bytes.
    directory = site.volume_directory(spec.name) / SWITCH
    return CablePlan(
        node=node, node_end=directory / f"{number}.n", switch_end=directory / f"{number}.s"
    )
