"""Write the files that a cluster's user gets."""

from collections.abc import Sequence
from pathlib import Path

from bootstrap.model.cluster import Domain
from bootstrap.model.keys import ClusterKeys
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.cluster_files import KUBECONFIG, cluster_files, kubeconfig_file
from bootstrap.planning.inventory import archive_name
from bootstrap.workflow.environment import Ports


def restore_markers(cluster: ClusterName, domains: Sequence[Domain], ports: Ports) -> None:
    """Put back the markers of a cluster's directories, if its domains prove that they are ours."""
    if domains:
        ports.volumes.restore_marker(cluster, [domain.directory for domain in domains])
        ports.files.restore_marker(cluster)


def ensure_cluster_files(plan: ClusterPlan, ports: Ports) -> None:
    """Write the inventory, the SSH files and each node's archive."""
    ports.files.ensure_files(plan.name, cluster_files(plan, _keys(plan, ports)))


def ensure_kubeconfig(plan: ClusterPlan, ports: Ports) -> Path:
    """Write the cluster's own kubeconfig and return its path."""
    ports.files.ensure_files(plan.name, kubeconfig_file(plan, _keys(plan, ports)))
    return plan.state_directory / KUBECONFIG


def files_digest(plan: ClusterPlan, node: NodePlan, ports: Ports) -> str:
    """Return the digest that the node remembers once it has written its files."""
    return ports.files.read(plan.name, archive_name(node.name)).partition("\n")[0]


def _keys(plan: ClusterPlan, ports: Ports) -> ClusterKeys:
    trust = ports.trust
    return ClusterKeys(
        certificates=trust.certificates(),
        encryption_key=trust.encryption_key() if plan.is_strict else None,
        host_keys={node.name: trust.node_keys(node.name).host_public_key for node in plan.nodes},
        client_key_file=trust.client_key_file(),
        user=trust.user_certificate(plan.name),
    )
