"""What `list` shows: the clusters of a site."""

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.model.cluster import ClusterState, Domain, DomainState, machine_state
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import NodeRole
from bootstrap.workflow.environment import SitePorts


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSummary:
    """One cluster, as libvirt knows it."""

    name: ClusterName
    control_planes: int
    workers: int
    #: The versions of its kubelets, each once, that of the control plane first.
    kubelet_versions: Sequence[str]
    running: int
    #: As far as the machines tell: no API server is asked.
    state: ClusterState
    #: When its oldest node was made, in ISO 8601.
    created: str


def list_clusters(ports: SitePorts) -> Sequence[ClusterSummary]:
    """List the clusters that have a domain, by name."""
    clusters: dict[ClusterName, list[Domain]] = {}
    for domain in ports.hypervisor.domains():
        clusters.setdefault(domain.mark.cluster, []).append(domain)
    return [_summary(name, domains) for name, domains in sorted(clusters.items())]


def _summary(name: ClusterName, domains: Sequence[Domain]) -> ClusterSummary:
    planes = sum(domain.mark.role is NodeRole.CONTROL_PLANE for domain in domains)
    return ClusterSummary(
        name=name,
        control_planes=planes,
        workers=len(domains) - planes,
        kubelet_versions=_kubelets(domains),
        running=sum(domain.state is DomainState.RUNNING for domain in domains),
        state=machine_state(domains),
        created=min(domain.mark.created for domain in domains),
    )


def _kubelets(domains: Sequence[Domain]) -> Sequence[str]:
    by_role = sorted(domains, key=lambda domain: not domain.is_control_plane)
    return list(dict.fromkeys(one.kubelet_version for one in by_role if one.kubelet_version))
