"""What `start`, `resume` and `reboot` do: machines that exist run again, and are verified."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from bootstrap.errors import UsageError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import ClusterSpec
from bootstrap.workflow.down import Failures
from bootstrap.workflow.environment import Ports, SitePorts
from bootstrap.workflow.keeping import keep_existing, kept_names
from bootstrap.workflow.membership import planned_names
from bootstrap.workflow.nodes import choose_nodes, existing_domains
from bootstrap.workflow.stop import stop_nodes
from bootstrap.workflow.up import UpOptions, UpResult, converge


def start(spec: ClusterSpec, names: Collection[str], ports: Ports) -> UpResult:
    """Make the nodes ``names`` run beside those that do, or all; prove the cluster as `up` does.

    ``spec`` names the cluster; what else is in it is replaced by what the cluster has.

    :raises NotFoundError: if the cluster does not exist.
    :raises UsageError: if there is no such node, or no control plane would run.
    :raises BootstrapError: as `up` does; no machine is removed.
    """
    with ports.lock():
        return start_machines(spec, names, ports)


def start_all(
    specs: Mapping[ClusterName, ClusterSpec], ports: SitePorts
) -> tuple[Mapping[ClusterName, UpResult], Failures]:
    """Start every cluster of ``specs``; one that does not start keeps no other from it."""
    failures, results = Failures(), {}
    for cluster, spec in sorted(specs.items()):
        if result := failures.collect(partial(start, spec, (), ports.cluster(cluster))):
            results[cluster] = result
    return results, failures


def resume(spec: ClusterSpec, names: Collection[str], ports: Ports) -> UpResult:
    """Make suspended nodes run again, set their clocks, and prove the cluster.

    A node that is off stays off.

    :raises UsageError: if one of ``names`` is off, or all nodes are; nothing is changed.
    :raises BootstrapError: as :func:`start` does.
    """
    with ports.lock():
        domains = existing_domains(spec.name, ports)
        off = [node.name for node in choose_nodes(domains, names) if node.is_off]
        if off and (names or len(off) == len(domains)):
            raise UsageError(
                f"There is nothing to resume on {', '.join(off)}: off, not suspended.",
                hint=f"bootstrap start {spec.name}",
            )
        paused = [node.name for node in domains if node.state is DomainState.PAUSED]
        running = [node.name for node in domains if node.state is DomainState.RUNNING]
        return start_machines(spec, names or paused or running, ports)


def reboot(spec: ClusterSpec, names: Collection[str], ports: Ports) -> UpResult:
    """Shut down the nodes ``names``, or all, start them again, and prove the cluster.

    :raises BootstrapError: as :func:`start` does.
    """
    with ports.lock():
        domains = existing_domains(spec.name, ports)
        chosen = choose_nodes(domains, names)
        running = _with_running(chosen, domains)
        _refuse_without_control_plane(spec.name, running)
        with ports.events.step(Step.STOP, f"Shutting down nodes of cluster '{spec.name}'"):
            stop_nodes(chosen, ports)
        return start_machines(spec, [node.name for node in running] if names else (), ports)


def start_machines(spec: ClusterSpec, nodes: Collection[str], ports: Ports) -> UpResult:
    """Do what :func:`start` does, under the lock of the cluster."""
    domains = existing_domains(spec.name, ports)
    only = None
    if nodes:
        running = _with_running(choose_nodes(domains, nodes), domains)
        _refuse_without_control_plane(spec.name, running)
        only = frozenset(node.name for node in running)
    chosen: frozenset[str] = frozenset()  # everything of an existing cluster stays as it is
    names = kept_names(domains, planned_names(spec.name, ports.hypervisor), chosen)
    spec = keep_existing(spec, domains, chosen, names=names)
    options = UpOptions(chosen=chosen, allow_overcommit=False, keep=True, use=False)
    return converge(spec, ports, options, existing=domains, names=names, only=only)


def _with_running(chosen: Sequence[Domain], domains: Sequence[Domain]) -> list[Domain]:
    names = {node.name for node in chosen}
    return [node for node in domains if node.name in names or node.state is DomainState.RUNNING]


def _refuse_without_control_plane(cluster: ClusterName, running: Sequence[Domain]) -> None:
    if not any(node.is_control_plane for node in running):
        raise UsageError(
            f"The control plane of cluster '{cluster}' does not run.",
            details="Without it, no node can be verified.",
            hint=f"bootstrap start {cluster}",
        )
