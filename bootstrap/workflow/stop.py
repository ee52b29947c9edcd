"""What `stop` and `suspend` do: the machines of a cluster rest, and nothing of it is lost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bootstrap.errors import UsageError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.ports import CheckResult
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.nodes import choose_nodes, existing_domains, refuse_strays
from bootstrap.workflow.steps.power import shut_down_nodes
from bootstrap.workflow.verification import verify_running


@dataclass(frozen=True, slots=True, kw_only=True)
class RestResult:
    """The nodes that the command stopped or suspended, and how the others are."""

    changed: Sequence[str]
    #: Of the nodes that still run; empty if none does, or without a control plane.
    checks: Sequence[CheckResult]


def stop(cluster: ClusterName, names: Collection[str], ports: Ports) -> RestResult:
    """Shut down the nodes ``names``, or all: workers first, each as its power button does.

    A node that does not shut down loses its power, after its file systems were synced if it
    still answers. Once no node runs, neither does the switch. Disks are on storage at the end.

    :raises NotFoundError: if the cluster does not exist.
    :raises UsageError: if there is no such node; nothing is changed.
    :raises VerifyError: if the nodes that still run are no verified cluster.
    """
    with ports.lock():
        domains = existing_domains(cluster, ports)
        chosen = choose_nodes(domains, names)
        with ports.events.step(Step.STOP, f"Stopping {_what(cluster, names)}"):
            changed = stop_nodes(chosen, ports)
            domains = existing_domains(cluster, ports)
            if all(domain.is_off for domain in domains):
                power_off_switch(cluster, ports)
            ports.volumes.sync(cluster)
        return RestResult(changed=changed, checks=verify_running(cluster, domains, ports))


def stop_nodes(nodes: Sequence[Domain], ports: Ports) -> list[str]:
    """Shut nodes down, workers before control planes; return the names of those that were on."""
    changed: list[str] = []
    for is_control_plane in (False, True):
        group = [node for node in nodes if node.is_control_plane is is_control_plane]
        changed += shut_down_nodes([node for node in group if not node.is_off], ports)
    return changed


def power_off_switch(cluster: ClusterName, ports: Ports) -> None:
    """Cut the power of the cluster's switch, once no node runs."""
    for switch in ports.hypervisor.switches(cluster):
        ports.hypervisor.power_off_domain(switch.domain_name)


def suspend(cluster: ClusterName, names: Collection[str], ports: Ports) -> RestResult:
    """Freeze the nodes ``names``, or all; their memory stays in use.

    :raises NotFoundError: if the cluster does not exist.
    :raises UsageError: if there is no such node, or one is off; nothing is changed.
    :raises VerifyError: if the nodes that still run are no verified cluster.
    """
    with ports.lock():
        domains = existing_domains(cluster, ports)
        chosen = choose_nodes(domains, names)
        refuse_strays(chosen)
        if off := [node.name for node in chosen if node.is_off]:
            raise UsageError(
                f"Cluster '{cluster}' has nodes that do not run: {', '.join(off)}.",
                details="Only a node that runs can be suspended.",
                hint=f"bootstrap start {cluster}",
            )
        with ports.events.step(Step.SUSPEND, f"Suspending {_what(cluster, names)}"):
            # Workers last to wake and first to sleep: their kubelets need the API server.
            ordered = sorted(chosen, key=lambda node: node.is_control_plane)
            changed = [node.name for node in ordered if _suspend(node, ports)]
        domains = existing_domains(cluster, ports)
        return RestResult(changed=changed, checks=verify_running(cluster, domains, ports))


def _suspend(node: Domain, ports: Ports) -> bool:
    if node.state is DomainState.PAUSED:
        return False
    is_changed = ports.hypervisor.suspend_domain(node.domain_name)
    ports.events.node(node.name, "suspended", is_done=True)
    return is_changed


def _what(cluster: ClusterName, names: Collection[str]) -> str:
    nodes = f"{', '.join(sorted(names))} of " if names else ""
    return f"{nodes}cluster '{cluster}'"
