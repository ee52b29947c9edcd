"""Find the existing nodes of a cluster."""

from collections.abc import Collection, Sequence

from bootstrap.errors import BootstrapError, NotFoundError, UsageError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.names import ClusterName
from bootstrap.workflow.environment import SitePorts
from bootstrap.workflow.membership import existing_nodes


def existing_domains(cluster: ClusterName, ports: SitePorts) -> Sequence[Domain]:
    """List a cluster's domains.

    :raises NotFoundError: if it has none.
    :raises LayoutError: if another version of the tool made it in another way.
    """
    domains = existing_nodes(cluster, ports.hypervisor)
    if not domains:
        raise NotFoundError(
            f"There is no cluster '{cluster}' at '{ports.site.hypervisor_uri}'.",
            hint="bootstrap list",
        )
    return domains


def choose_nodes(domains: Sequence[Domain], names: Collection[str]) -> Sequence[Domain]:
    """Return the nodes ``names`` in the order of ``domains``, or all if none is named.

    :raises UsageError: as :func:`find_node` does.
    """
    chosen = {find_node(domains, name).uuid for name in names}
    return [domain for domain in domains if not chosen or domain.uuid in chosen]


def find_node(domains: Sequence[Domain], name: str) -> Domain:
    """Find a node by its name, or by the name of its domain.

    :raises UsageError: if there is no such node, naming those that exist.
    """
    for domain in domains:
        if name in (domain.name, domain.domain_name):
            return domain
    raise UsageError(
        f"There is no node '{name}'.",
        details="Nodes: " + ", ".join(domain.name for domain in domains),
        hint=f"bootstrap status {domains[0].mark.cluster}",
    )


def running_mib(domains: Sequence[Domain]) -> int:
    """Sum up the memory of the nodes that have power."""
    return sum(domain.memory_mib for domain in domains if not domain.is_off)


def has_running_control_plane(domains: Sequence[Domain]) -> bool:
    """Tell whether the machine of a control plane runs."""
    return any(node.is_control_plane and node.state is DomainState.RUNNING for node in domains)


def refuse_strays(domains: Sequence[Domain]) -> None:
    """Refuse to go on with machines that run and that their libvirt does not know.

    :raises BootstrapError: with what ends them.
    """
    strays = [domain for domain in domains if domain.state is DomainState.STRAY]
    if strays:
        cluster = strays[0].mark.cluster
        seen = ", ".join(f"{domain.domain_name} ({domain.reason})" for domain in strays)
        raise BootstrapError(
            f"Machines of cluster '{cluster}' run, but their libvirt calls them shut off.",
            details=f"{seen}.\nlibvirt knows the machines that were started with the same "
            "XDG_RUNTIME_DIR, until the last logout removes that directory. 'stop' has the nodes "
            "write their files and cuts their power.",
            hint=f"bootstrap stop {cluster}",
        )


def refuse_still(domain: Domain) -> None:
    """Refuse to go on with a node that does not run.

    :raises BootstrapError: with what starts it.
    """
    if domain.state is not DomainState.RUNNING:
        raise BootstrapError(
            f"Node '{domain.name}' does not run.",
            details=f"Its domain '{domain.domain_name}' is {domain.state.value}.",
            hint=f"bootstrap start {domain.mark.cluster}",
        )
