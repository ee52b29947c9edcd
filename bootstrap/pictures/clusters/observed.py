"""The topology of a cluster that exists, by the marks of its domains."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.names import ClusterName, node_index
from bootstrap.model.network import API_PORT, endpoint_address, node_number, node_pod_subnet
from bootstrap.model.spec import NodeRole
from bootstrap.pictures.clusters.topology import Mood, NodePart, Part, Topology, size_text

#: What a port of a mark leads to.
_USES = {"ssh": "SSH", "api": "API server"}


def observed_topology(
    cluster: ClusterName,
    nodes: Sequence[tuple[Domain, str]],
    switch: Domain | None,
    *,
    hypervisor: str,
    state: str,
) -> Topology:
    """Return the topology of a cluster.

    ``nodes`` are its domains, one at least, each with what Kubernetes says of the node. What a
    mark does not tell is left empty.
    """
    facts = nodes[0][0].mark.facts
    api_ports = [domain.mark.ports["api"] for domain, _ in nodes if "api" in domain.mark.ports]
    return Topology(
        cluster=str(cluster),
        title=state,
        hypervisor=", ".join(filter(None, (hypervisor, facts.get("acceleration")))),
        version=facts.get("kubernetesVersion", ""),
        server=f"https://127.0.0.1:{api_ports[0]}" if api_ports else "",
        node_subnet=facts.get("nodeSubnet", ""),
        pod_subnet=facts.get("podSubnet", ""),
        service_subnet=facts.get("serviceSubnet", ""),
        switch=_switch(switch),
        nodes=[_node(domain, said) for domain, said in nodes],
    )


def _switch(switch: Domain | None) -> Part:
    if switch is None:
        return Part(name="switch", domain="", mood=Mood.BAD, state="missing")
    return Part(
        name="switch",
        domain=switch.domain_name,
        mood=_mood(switch, well=True),
        state=_domain_state(switch),
    )


def _node(domain: Domain, said: str) -> NodePart:
    facts = domain.mark.facts
    endpoint = _endpoint(facts) if domain.is_control_plane else ""
    is_running = domain.state is DomainState.RUNNING
    return NodePart(
        name=domain.name,
        domain=domain.domain_name,
        mood=_mood(domain, well=said == "Ready"),
        state=f"{_domain_state(domain)}; {said}" if is_running else _domain_state(domain),
        role=domain.mark.role.value if domain.mark.role else "",
        address=facts.get("address", ""),
        pod_subnet=_pod_subnet(domain),
        size=size_text(facts.get("cpus", "?"), facts.get("memoryMiB", "?")),
        disk=f"{facts.get('diskGiB', '?')} GiB",
        ports={
            what: domain.mark.ports[use] for use, what in _USES.items() if use in domain.mark.ports
        },
        endpoint=endpoint,
    )


def _mood(domain: Domain, *, well: bool) -> Mood:
    if domain.is_sick or (domain.state is DomainState.RUNNING and not well):
        return Mood.BAD
    return Mood.GOOD if domain.state is DomainState.RUNNING else Mood.REST


def _domain_state(domain: Domain) -> str:
    return f"{domain.state.value} ({domain.reason})" if domain.reason else domain.state.value


def _endpoint(facts: Mapping[str, str]) -> str:
    if "nodeSubnet" not in facts:
        return ""
    return f"{endpoint_address(IPv4Network(facts['nodeSubnet']))}:{API_PORT}"


def _pod_subnet(domain: Domain) -> str:
    subnet, role = domain.mark.facts.get("podSubnet"), domain.mark.role
    index = node_index(domain.name, role.value) if role else None
    if subnet is None or index is None:
        return ""
    is_control_plane = role is NodeRole.CONTROL_PLANE
    number = node_number(is_control_plane=is_control_plane, index=index)
    return str(node_pod_subnet(IPv4Network(subnet), number))
