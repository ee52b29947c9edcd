"""Look up the nodes that a cluster has, and those that it is to have."""

from collections.abc import Collection, Sequence

from bootstrap.errors import LayoutError
from bootstrap.model.cluster import Domain
from bootstrap.model.layout import LAYOUT
from bootstrap.model.names import ClusterName
from bootstrap.ports import Hypervisor

#: The fact in the mark of a switch that names the nodes.
NODES = "nodes"


def existing_nodes(cluster: ClusterName, hypervisor: Hypervisor) -> Sequence[Domain]:
    """List the domains of the cluster's nodes.

    :raises LayoutError: if another version of the tool made it in another way.
    """
    domains = hypervisor.domains(cluster)
    others = sorted({domain.mark.layout for domain in domains} - {LAYOUT})
    if others:
        age = "an older" if others[0] < LAYOUT else "a newer"
        raise LayoutError(
            f"Cluster '{cluster}' was made by {age} version of this tool.",
            details=f"Its layout is {others[0]}, and this version works with layout {LAYOUT} only. "
            "The cluster was left as it is. This version can list and remove it.",
            hint=f"bootstrap down {cluster}",
        )
    return domains


def planned_names(cluster: ClusterName, hypervisor: Hypervisor) -> Collection[str]:
    """Name the nodes that the cluster is to have, as the mark of its switch tells.

    A node without a domain among them is half made, or half removed. Empty if nothing tells.
    """
    marks = [domain.mark for domain in hypervisor.switches(cluster)]
    return {name for mark in marks for name in mark.facts.get(NODES, "").split(",") if name}
