"""Make booted nodes a Kubernetes cluster."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from bootstrap.errors import BootstrapError
from bootstrap.model.plan import ClusterPlan
from bootstrap.planning.node_files import join_config
from bootstrap.ports import CheckResult, ExpectedNode
from bootstrap.waiting import NotYet, wait_for
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.verdict import refuse_failed

_API_TIMEOUT_S = 120
_TOKEN_LIFETIME_S = 3600


def install_control_plane(plan: ClusterPlan, ports: Ports) -> int:
    """Run the playbook on the control planes; gives how much it changed."""
    result = ports.playbooks.run(plan, plan.control_planes, secrets={})
    return sum(result.changed.values())


def join_workers(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> int:
    """Run the playbook on the workers; those the API server knows join no second time."""
    if not plan.workers:
        return 0
    joined = joined_nodes(plan, ports, kubeconfig)
    missing = [node for node in plan.workers if node.name not in joined]
    if not missing:
        result = ports.playbooks.run(plan, plan.workers, secrets={})
        return sum(result.changed.values())
    token = ports.trust.new_join_token()
    ports.api.create_join_token(kubeconfig, token, lifetime_s=_TOKEN_LIFETIME_S)
    ca_hash = ports.trust.authority_hash()
    configs = {node.name: join_config(plan, node, token=token, ca_hash=ca_hash) for node in missing}
    try:
        result = ports.playbooks.run(plan, plan.workers, secrets={"kubeadm_join_configs": configs})
    except BootstrapError:
        # Within the hour it ends by itself, should the API server not answer any more.
        with contextlib.suppress(BootstrapError, NotYet):
            ports.api.remove_join_token(kubeconfig, token)
        raise
    wait_for(
        f"the API server at {plan.server} to drop a join token",
        lambda: ports.api.remove_join_token(kubeconfig, token),
        timeout_s=_API_TIMEOUT_S * plan.patience,
        hint=f"bootstrap up {plan.name}",
    )
    return sum(result.changed.values())


def joined_nodes(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> Mapping[str, str]:
    """Ask the API server which nodes it knows, waiting until it answers."""
    return wait_for(
        f"the API server at {plan.server}",
        lambda: ports.api.joined_nodes(kubeconfig),
        timeout_s=_API_TIMEOUT_S * plan.patience,
        hint=f"bootstrap logs {plan.name}",
    )


def verify_cluster(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> list[CheckResult]:
    """Prove the cluster through the kubeconfig that the user gets.

    :raises VerifyError: with every check's evidence, if one is not as it must be.
    """
    nodes = [ExpectedNode(name=node.name, address=str(node.address)) for node in plan.nodes]
    checks = list(ports.api.verify(kubeconfig, nodes, patience=plan.patience))
    refuse_failed(plan.name, checks, hint=f"bootstrap verify {plan.name}")
    return checks
