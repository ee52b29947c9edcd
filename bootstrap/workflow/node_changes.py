"""What `node remove` and `node replace` do; `node add` is `up` with more workers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bootstrap.errors import VerifyError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.events import Step
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import CheckResult
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.keeping import keep_existing, kept_names
from bootstrap.workflow.membership import planned_names
from bootstrap.workflow.node_removal import Removal, take_nodes_away
from bootstrap.workflow.nodes import existing_domains
from bootstrap.workflow.removable import find_removable
from bootstrap.workflow.shape import known_acceleration, plan_cluster
from bootstrap.workflow.steps.files import ensure_cluster_files, restore_markers
from bootstrap.workflow.steps.kubernetes import verify_cluster
from bootstrap.workflow.steps.machines import ensure_switch
from bootstrap.workflow.up import UpOptions, UpResult, converge


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalResult:
    """A cluster that was verified without the nodes that were removed."""

    plan: ClusterPlan
    removed: Sequence[str]
    checks: Sequence[CheckResult]


def remove_nodes(
    spec: ClusterSpec, names: Sequence[str], ports: Ports, removal: Removal
) -> RemovalResult:
    """Drain and remove nodes, and verify what is left. Run again, it finishes what was begun.

    ``spec`` names the cluster; of the rest, what exists counts.

    :raises NotFoundError: if there is no such cluster.
    :raises UsageError: if there is no such node, or one is a control plane; then nothing has
        changed.
    :raises TimedOutError: if pods do not leave in time; then every node stays.
    :raises VerifyError: if the cluster that is left is not as it must be.
    """
    with ports.lock():
        existing = existing_domains(spec.name, ports)
        going = find_removable(spec.name, names, existing, ports)
        staying = [domain for domain in existing if domain.name not in going]
        plan = _plan(spec, staying, _names(spec, existing, ports) - set(going), ports)
        restore_markers(spec.name, existing, ports)
        kubeconfig = take_nodes_away(spec.name, going, ports, removal)
        ensure_cluster_files(plan, ports)
        ensure_switch(plan, ports)
        running = {node.name for node in staying if node.state is DomainState.RUNNING}
        rest = replace(plan, nodes=tuple(node for node in plan.nodes if node.name in running))
        off = [node for node in plan.nodes if node.name in {one.name for one in staying} - running]
        checks = _verify(rest, going, ports, kubeconfig, off=off)
        return RemovalResult(plan=rest, removed=going, checks=checks)


def replace_node(spec: ClusterSpec, name: str, ports: Ports, options: UpOptions) -> UpResult:
    """Remove a node and make it anew under its name, with its size and labels.

    :raises BootstrapError: as :func:`remove_nodes` and `up` do.
    """
    with ports.lock():
        existing = existing_domains(spec.name, ports)
        going = find_removable(spec.name, [name], existing, ports)
        names = _names(spec, existing, ports) | set(going)
        spec = keep_existing(spec, existing, frozenset(), names=names)
        return converge(spec, ports, options, existing=existing, names=names, surplus=going)


def _verify(
    plan: ClusterPlan,
    removed: Sequence[str],
    ports: Ports,
    kubeconfig: Path,
    *,
    off: Sequence[NodePlan],
) -> Sequence[CheckResult]:
    with ports.events.step(Step.VERIFY, "Verifying the cluster"):
        try:
            return verify_cluster(plan, ports, kubeconfig, off=off)
        except VerifyError as error:
            raise error.with_details(f"Removed before that: {', '.join(removed)}") from error


def _names(spec: ClusterSpec, existing: Sequence[Domain], ports: Ports) -> set[str]:
    return set(kept_names(existing, planned_names(spec.name, ports.hypervisor), frozenset()))


def _plan(
    spec: ClusterSpec, existing: Sequence[Domain], names: Collection[str], ports: Ports
) -> ClusterPlan:
    """Plan the cluster of the nodes ``names`` as they are; makes nothing."""
    with ports.host.allocation():
        return plan_cluster(
            keep_existing(spec, existing, frozenset(), names=names),
            ports,
            existing=existing,
            names=names,
            acceleration=known_acceleration(existing) or Acceleration.KVM,
        )
