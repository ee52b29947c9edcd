"""What `logs` collects and shows."""

from pathlib import Path

from bootstrap.errors import NotFoundError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.nodes import existing_domains, find_node


def collect_logs(cluster: ClusterName, node: str | None, ports: Ports) -> Path:
    """Save consoles and journals of one node or of all, and return the directory.

    :raises NotFoundError: if the cluster does not exist.
    :raises UsageError: if there is no such node.
    """
    domains = existing_domains(cluster, ports)
    chosen = [find_node(domains, node)] if node else domains
    return ports.evidence.collect(cluster, chosen)


def read_console(cluster: ClusterName, node: str, ports: Ports) -> str:
    """Return what a node wrote to its console since it was last started.

    The text may hold anything that the guest chose to write.

    :raises NotFoundError: if the cluster does not exist, or its node has no console yet.
    """
    domain = find_node(existing_domains(cluster, ports), node)
    try:
        return domain.console_log.read_text(errors="replace")
    except OSError as error:
        raise NotFoundError(
            f"Could not read the console of node '{domain.name}'.",
            details=str(error),
            hint=f"bootstrap status {domain.mark.cluster}",
        ) from error
