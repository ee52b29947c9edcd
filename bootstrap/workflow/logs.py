"""What `logs` collects and shows."""

from collections.abc import Generator
from pathlib import Path

from bootstrap.errors import BootstrapError, NotFoundError
from bootstrap.model.names import ClusterName
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.gathering import gather
from bootstrap.workflow.nodes import existing_domains, find_node, refuse_still

_FOLLOW = "exec journalctl --no-pager --follow --lines 20"


def collect_logs(
    cluster: ClusterName, node: str | None, ports: Ports, *, target: Path | None = None
) -> Path:
    """Save what explains the state of a cluster in one archive, and return its path.

    Of the nodes, all are asked or only ``node``. Without ``target`` the archive is in the
    cluster's state directory.

    :raises NotFoundError: if the cluster does not exist.
    :raises UsageError: if there is no such node, or there is a file ``target`` already.
    """
    domains = existing_domains(cluster, ports)
    chosen = [find_node(domains, node)] if node else domains
    evidence = gather(cluster, chosen, ports, patience=domains[0].patience)
    return ports.evidence.save(cluster, evidence, target=target)


def follow_journal(cluster: ClusterName, node: str, ports: Ports) -> Generator[str, None, None]:
    """Yield the last lines of a node's journal, and each new one as soon as it is written.

    The text may hold anything that the guest chose to write.

    :raises NotFoundError: if the cluster does not exist.
    :raises UsageError: if there is no such node.
    :raises BootstrapError: if the node does not run or does not answer, or the connection is lost.
    """
    domain = find_node(existing_domains(cluster, ports), node)
    refuse_still(domain)
    try:
        yield from ports.shell.follow(domain, _FOLLOW)
    except NotYet as error:
        raise BootstrapError(
            f"Could not follow the journal of node '{domain.name}'.",
            details=str(error),
            hint=f"bootstrap logs {cluster} {domain.name} --console",
        ) from error


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
