"""What `up` does with planned machines: boot them, make them a cluster, and verify it."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from bootstrap.model.cluster import NodeImage
from bootstrap.model.events import Step
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.ports import CheckResult
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.loading import load_kept_images
from bootstrap.workflow.steps.files import ensure_kubeconfig
from bootstrap.workflow.steps.kubernetes import (
    finished,
    install_control_plane,
    join_workers,
    verify_cluster,
    wait_until_ready,
)
from bootstrap.workflow.steps.machines import start_nodes, wait_until_booted


class Verified(NamedTuple):
    """A cluster that was verified through its own kubeconfig."""

    checks: Sequence[CheckResult]
    kubeconfig: Path
    #: What Ansible changed.
    changed: int


def bring_up(
    plan: ClusterPlan,
    ports: Ports,
    unchecked: Sequence[NodeImage],
    running: Collection[str],
    *,
    off: Sequence[NodePlan],
) -> Verified:
    """Boot, install and verify; ``running`` names the nodes that ran before this run."""
    with ports.events.step(Step.BOOT, "Booting the nodes"):
        first = plan.control_planes
        ports.hypervisor.start_domain(plan.switch.domain_name)
        start_nodes(first if _is_staged(plan, ports) else plan.nodes, ports)
        for image in unchecked:
            ports.images.check(image)  # while the machines boot
        # A node that says so has booted before.
        done = finished(plan, [node for node in plan.nodes if node.name in running], ports)
        wait_until_booted(plan, _without(first, done), ports)

    with ports.events.step(Step.CONTROL_PLANE, "Starting the control plane"):
        changed = install_control_plane(plan, ports, done)
        kubeconfig = ensure_kubeconfig(plan, ports)

    with ports.events.step(Step.JOIN, "Joining the workers"):
        if _is_staged(plan, ports) and any(node.name not in running for node in plan.workers):
            # Beside booting workers, an API server that starts runs out of the minute that
            # Kubernetes gives its first checks, ends, and begins again.
            wait_until_ready(plan, ports, kubeconfig)
        start_nodes(plan.workers, ports)
        wait_until_booted(plan, _without(plan.workers, done), ports)
        changed += join_workers(plan, ports, kubeconfig, done)

    changed += load_kept_images(plan.name, plan.nodes, ports, patience=plan.patience)
    with ports.events.step(Step.VERIFY, "Verifying the cluster"):
        checks = verify_cluster(plan, ports, kubeconfig, off=off)
    return Verified(checks, kubeconfig, changed)


def _without(nodes: Sequence[NodePlan], done: Collection[str]) -> Sequence[NodePlan]:
    return [node for node in nodes if node.name not in done]


def _is_staged(plan: ClusterPlan, ports: Ports) -> bool:
    """Tell whether workers had better boot when the API server runs.

    Under emulation a worker's boot takes the processor time that the starting control
    plane needs. The measured times are in
    docs/explanation/decisions/0004-staged-boot-under-emulation.md.
    """
    return plan.is_emulated and ports.host.cores < sum(node.cpus for node in plan.nodes)
