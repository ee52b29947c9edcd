"""Find the nodes that a user wants removed, and refuse what cannot be."""

import contextlib
from collections.abc import Collection, Sequence

from bootstrap.errors import BootstrapError, UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.names import ClusterName, domain_name, node_index
from bootstrap.model.spec import NodeRole
from bootstrap.planning.cluster_files import KUBECONFIG
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.membership import planned_names


def find_removable(
    cluster: ClusterName, names: Sequence[str], existing: Sequence[Domain], ports: Ports
) -> list[str]:
    """Return the names of the nodes without the cluster's, each once.

    A node of which only a part is left, as after a kill, is one as well.

    :raises UsageError: if one is no node, or a control plane.
    """
    known = {domain.name for domain in existing}
    known |= set(planned_names(cluster, ports.hypervisor))
    if not {_short(cluster, name, known) for name in names} <= known:
        known |= _registered(cluster, ports)
    found = dict.fromkeys(_short(cluster, name, known) for name in names)
    for name in found:
        _refuse_other(cluster, name, known)
    return list(found)


def _short(cluster: ClusterName, name: str, known: Collection[str]) -> str:
    """Return the name of a node that was named as its domain is."""
    return next((node for node in known if domain_name(cluster, node) == name), name)


def _registered(cluster: ClusterName, ports: Ports) -> set[str]:
    """Name the workers that the API server knows, if it answers now."""
    kubeconfig = ports.files.find(cluster, KUBECONFIG)
    joined: Collection[str] = ()
    if kubeconfig:
        with contextlib.suppress(BootstrapError, NotYet):
            joined = ports.api.joined_nodes(kubeconfig)
    return {name for name in joined if node_index(name, NodeRole.WORKER.value) is not None}


def _refuse_other(cluster: ClusterName, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise UsageError(
            f"There is no node '{name}'.",
            details="Nodes: " + ", ".join(sorted(known)),
            hint=f"bootstrap status {cluster}",
        )
    if node_index(name, NodeRole.WORKER.value) is None:
        raise UsageError(
            f"Node '{name}' is the control plane, so it was left alone.",
            details="Without it there is no cluster.",
            hint=f"bootstrap down {cluster}",
        )
