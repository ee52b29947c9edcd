"""Make booted nodes a Kubernetes cluster."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import join_config
from bootstrap.ports import CheckResult, ExpectedNode
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet
from bootstrap.workflow.asking import wait_for_api
from bootstrap.workflow.draining import uncordon_workers
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.steps.files import files_digest
from bootstrap.workflow.steps.upkeep import ask_node
from bootstrap.workflow.verification import run_checks

_TOKEN_LIFETIME_S = 3600
_CONTROL_PLANE_DONE, _WORKER_DONE = "init-cluster.done", "join.done"


def install_control_plane(plan: ClusterPlan, ports: Ports, done: Collection[str]) -> int:
    """Run the playbook on the control planes that need it; return how much it changed.

    ``done`` names nodes that have said that all was done on them.
    """
    return _play(plan, _unfinished(plan, plan.control_planes, ports, done), ports)


def finished(plan: ClusterPlan, nodes: Sequence[NodePlan], ports: Ports) -> frozenset[str]:
    """Name the nodes that say that all was done on them; all are asked at the same time.

    The same question sets right what time alone makes wrong, before anything is judged.
    """
    answers = at_once(lambda node: _is_finished(plan, node, ports), nodes)
    return frozenset(node.name for node, is_done in zip(nodes, answers, strict=True) if is_done)


def _unfinished(
    plan: ClusterPlan, nodes: Sequence[NodePlan], ports: Ports, done: Collection[str]
) -> list[NodePlan]:
    """List the nodes that do not say that all was done on them: Ansible visits only these."""
    unknown = [node for node in nodes if node.name not in done]
    more = finished(plan, unknown, ports)
    return [node for node in unknown if node.name not in more]


def _is_finished(plan: ClusterPlan, node: NodePlan, ports: Ports) -> bool:
    done = _CONTROL_PLANE_DONE if node.is_control_plane else _WORKER_DONE
    return {files_digest(plan, node, ports), done} <= ask_node(plan, node, ports)


def _play(plan: ClusterPlan, nodes: Sequence[NodePlan], ports: Ports) -> int:
    if not nodes:
        return 0
    result = ports.playbooks.run(plan, nodes, secrets={})
    _report_installed(nodes, ports)
    return sum(result.changed.values())


def _report_installed(nodes: Sequence[NodePlan], ports: Ports) -> None:
    for node in nodes:
        what = "runs the control plane" if node.is_control_plane else "joined"
        ports.events.node(node.name, what, is_done=True)


def join_workers(plan: ClusterPlan, ports: Ports, kubeconfig: Path, done: Collection[str]) -> int:
    """Run the playbook on the workers that need it; those that have joined do so only once.

    ``done`` names nodes that have said that all was done on them.
    """
    if not plan.workers:
        return 0
    joined = _joined_and_uncordoned(plan, ports, kubeconfig)
    missing = [node for node in plan.workers if node.name not in joined]
    known = [node for node in plan.workers if node.name in joined]
    others = [node for node in _unfinished(plan, plan.workers, ports, done) if node in known]
    if not missing:
        return _play(plan, others, ports)
    token = ports.trust.new_join_token()
    ports.api.create_join_token(kubeconfig, token, lifetime_s=_TOKEN_LIFETIME_S)
    ca_hash = ports.trust.authority_hash()
    configs = {node.name: join_config(plan, node, token=token, ca_hash=ca_hash) for node in missing}
    try:
        secrets = {"kubeadm_join_configs": configs}
        result = ports.playbooks.run(plan, [*others, *missing], secrets=secrets)
    except BootstrapError:
        # Within the hour it ends by itself, should the API server not answer any more.
        with contextlib.suppress(BootstrapError, NotYet):
            ports.api.remove_join_token(kubeconfig, token)
        raise
    _report_installed([*others, *missing], ports)
    wait_for_api(
        f"the API server at {plan.server} to drop a join token",
        lambda: ports.api.remove_join_token(kubeconfig, token),
        ports,
        patience=plan.patience,
        hint=f"bootstrap up {plan.name}",
    )
    return sum(result.changed.values())


def _joined_and_uncordoned(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> Collection[str]:
    """Name the nodes that the API server knows; both of its answers are waited for at once."""
    joined, _ = at_once(lambda ask: ask(plan, ports, kubeconfig), (joined_nodes, uncordon_workers))
    return joined or ()


def wait_until_ready(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> None:
    """Wait until the API server calls itself ready."""
    wait_for_api(
        f"the API server at {plan.server} to be ready",
        lambda: ports.api.check_ready(kubeconfig),
        ports,
        patience=plan.patience,
        hint=f"bootstrap logs {plan.name}",
    )


def joined_nodes(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> Mapping[str, str]:
    """Ask the API server which nodes it knows, waiting until it answers."""
    return wait_for_api(
        f"the API server at {plan.server}",
        lambda: ports.api.joined_nodes(kubeconfig),
        ports,
        patience=plan.patience,
        hint=f"bootstrap logs {plan.name}",
    )


def verify_cluster(
    plan: ClusterPlan, ports: Ports, kubeconfig: Path, *, off: Sequence[NodePlan] = ()
) -> list[CheckResult]:
    """Prove the cluster through the kubeconfig that the user gets; nodes in ``off`` may be off.

    :raises VerifyError: with every check's evidence and the likely culprits, if one check is not
        as it must be.
    """
    nodes = [
        ExpectedNode(
            name=node.name,
            address=str(node.address),
            kubelet_version=node.kubelet_version,
            is_off=node in off,
        )
        for node in (*plan.nodes, *off)
    ]
    found = run_checks(plan.name, kubeconfig, nodes, ports, patience=plan.patience)
    found.refuse_failed(plan.name, hint=f"bootstrap verify {plan.name}")
    return list(found.checks)
