"""What `status` shows: each node as libvirt and as the API server see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import ClusterState, Domain, DomainState, machine_state
from bootstrap.model.names import ClusterName
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports, SitePorts
from bootstrap.workflow.nodes import existing_domains, has_running_control_plane


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """One node."""

    domain: Domain
    #: What Kubernetes says of it.
    kubernetes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatus:
    """One cluster."""

    #: The libvirt at which its machines are.
    hypervisor: str
    state: ClusterState
    #: None if the local files are lost.
    kubeconfig: Path | None
    #: "ok", or why the API server gives no answer.
    api: str
    certificate_ends: datetime | None
    nodes: Sequence[NodeStatus]
    #: None if it is missing.
    switch: Domain | None


def status(cluster: ClusterName, ports: Ports) -> ClusterStatus:
    """Look at a cluster, well or not; the API server is asked once and never waited for.

    :raises NotFoundError: if it has no domain.
    """
    domains = existing_domains(cluster, ports)
    kubeconfig = ports.files.find(cluster, "kubeconfig")
    is_controlled = has_running_control_plane(domains)
    # Nothing answers for a machine that is off, and one that is suspended only keeps us waiting.
    answers, failure = (
        _ask(kubeconfig, ports) if is_controlled else ({}, "its machine does not run")
    )
    unknown = "unknown" if failure else "not joined"
    nodes = [
        NodeStatus(domain=domain, kubernetes=answers.get(domain.name, unknown))
        for domain in domains
    ]
    switch = next(iter(ports.hypervisor.switches(cluster)), None)
    return ClusterStatus(
        hypervisor=ports.site.hypervisor_uri,
        state=_state(nodes, switch),
        kubeconfig=kubeconfig,
        api=failure or "ok",
        certificate_ends=_certificate_end(kubeconfig, ports),
        nodes=nodes,
        switch=switch,
    )


def _state(nodes: Sequence[NodeStatus], switch: Domain | None) -> ClusterState:
    domains = [node.domain for node in nodes]
    state = machine_state(domains)
    if state is ClusterState.SICK or not has_running_control_plane(domains):
        return state
    running = [node for node in nodes if node.domain.state is DomainState.RUNNING]
    has_switch = switch is not None and switch.state is DomainState.RUNNING
    # Without an answer of the API server, no node is known to be Ready.
    is_well = has_switch and all(node.kubernetes == "Ready" for node in running)
    return state if is_well else ClusterState.SICK


def _ask(kubeconfig: Path | None, ports: SitePorts) -> tuple[Mapping[str, str], str]:
    """Return each joined node's state, and why there is none."""
    if kubeconfig is None:
        return {}, "no kubeconfig yet"
    try:
        return ports.api.joined_nodes(kubeconfig), ""
    except NotYet as error:
        return {}, f"does not answer: {error}"
    except BootstrapError as error:
        return {}, error.summary


def _certificate_end(kubeconfig: Path | None, ports: SitePorts) -> datetime | None:
    if kubeconfig is None:
        return None
    try:
        return ports.api.certificate_expiry(kubeconfig)
    except (BootstrapError, NotYet):
        return None
