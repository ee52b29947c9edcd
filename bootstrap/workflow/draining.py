"""Empty nodes before they are removed: cordon them and have their pods evicted."""

import contextlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.events import Step
from bootstrap.model.plan import ClusterPlan
from bootstrap.waiting import NotYet, wait_for
from bootstrap.workflow.asking import wait_for_api
from bootstrap.workflow.environment import Ports


def drain(
    nodes: Sequence[str], ports: Ports, kubeconfig: Path, *, timeout_s: float, hint: str
) -> None:
    """Have the pods of all nodes evicted within one deadline; no new ones come.

    After any failure the nodes take pods again.

    :raises TimedOutError: with the pods that are left and what holds them; its hint is ``hint``.
    """
    them = ", ".join(nodes)
    with ports.events.step(Step.DRAIN, f"Draining {them}"), ExitStack() as undo:
        undo.callback(_try_to_uncordon, nodes, ports, kubeconfig)
        for node in nodes:
            ports.events.node(node, "draining")
        try:
            wait_for(
                f"the pods of {them} to leave",
                lambda: _empty(nodes, ports, kubeconfig),
                timeout_s=timeout_s,
                hint=hint,
                report=ports.events.waiting,
            )
        except TimedOutError as error:
            more = "No node was removed, and they take pods again."
            raise error.with_details(more) from error
        undo.pop_all()
        for node in nodes:
            ports.events.node(node, "drained", is_done=True)


def uncordon_workers(plan: ClusterPlan, ports: Ports, kubeconfig: Path) -> None:
    """Lift what a removal that was killed has left; a cordon of the user's stays."""
    workers = [node.name for node in plan.workers]
    wait_for_api(
        f"the API server at {plan.server} to uncordon nodes",
        lambda: ports.api.uncordon(kubeconfig, workers),
        ports,
        patience=plan.patience,
        hint=f"bootstrap logs {plan.name}",
    )


def _empty(nodes: Sequence[str], ports: Ports, kubeconfig: Path) -> None:
    for node in nodes:
        ports.api.cordon(kubeconfig, node)
    left = []
    for node in nodes:
        try:
            ports.api.evict_pods(kubeconfig, node)
        except NotYet as pending:
            left.append(str(pending))
    if left:
        raise NotYet("; ".join(left))


def _try_to_uncordon(nodes: Sequence[str], ports: Ports, kubeconfig: Path) -> None:
    # The next `up`, or the next removal, does it, should the API server not answer any more.
    with contextlib.suppress(BootstrapError, NotYet):
        ports.api.uncordon(kubeconfig, nodes)
