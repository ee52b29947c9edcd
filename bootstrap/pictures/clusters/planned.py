"""The topology of a plan."""

from collections.abc import Collection

from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.pictures.clusters.topology import Mood, NodePart, Part, Topology, size_text


def planned_topology(plan: ClusterPlan, existing: Collection[str]) -> Topology:
    """Return the topology of a plan; ``existing`` are the nodes that there are already."""
    mood, state = _state(exists=bool(existing))
    networking = plan.spec.networking
    return Topology(
        cluster=str(plan.name),
        title="as bootstrap up would make it",
        hypervisor=f"{plan.hypervisor_uri}, {plan.acceleration.value}",
        version=plan.kubernetes_version,
        server=plan.server,
        node_subnet=str(networking.node_subnet),
        pod_subnet=str(networking.pod_subnet),
        service_subnet=str(networking.service_subnet),
        switch=Part(name="switch", domain=plan.switch.domain_name, mood=mood, state=state),
        nodes=[_node(node, plan, exists=node.name in existing) for node in plan.nodes],
    )


def _node(node: NodePlan, plan: ClusterPlan, *, exists: bool) -> NodePart:
    mood, state = _state(exists=exists)
    api = {} if node.api_port is None else {"API server": node.api_port}
    return NodePart(
        name=node.name,
        domain=node.domain_name,
        mood=mood,
        state=state,
        role=node.role.value,
        address=str(node.address),
        pod_subnet=str(node.pod_subnet),
        size=size_text(str(node.cpus), str(node.memory_mib)),
        disk=f"{node.disk_gib} GiB",
        ports={"SSH": node.ssh_port, **api},
        endpoint=plan.endpoint if node is plan.initial_control_plane else "",
    )


def _state(*, exists: bool) -> tuple[Mood, str]:
    return (Mood.REST, "exists") if exists else (Mood.PLANNED, "would be made")
