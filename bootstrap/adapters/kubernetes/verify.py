"""Run the checks that stand between a finished run and exit status 0 (V-04, K-01)."""

from collections.abc import Callable, Sequence
from functools import partial

from bootstrap.adapters.kubernetes.checks import Check, run_checks
from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.nodes import all_nodes, available_dns
from bootstrap.adapters.kubernetes.pods import CheckPods, remove_namespace
from bootstrap.adapters.kubernetes.steadiness import Watch
from bootstrap.adapters.kubernetes.traffic import TRAFFIC_TIMEOUT_S, Traffic
from bootstrap.ports import CheckResult, ExpectedNode

#: Of all checks together; what is left at its end has a last minute to clean up, and another
#: to see that the API server is steady.
_TIMEOUT_S = 300.0
_READY_TIMEOUT_S = 120.0
_LAST_S = 60.0


def verify(
    client: Client,
    nodes: Sequence[ExpectedNode],
    *,
    namespace: str,
    report: Callable[[str], None],
) -> tuple[CheckResult, ...]:
    """Run every check that can run; each adds exactly one line."""
    began = client.clock()
    watch = Watch(client)
    on = [node.name for node in nodes if not node.is_off]
    pods = CheckPods(client=client, namespace=namespace, nodes=on)
    checks = _checks(client, nodes, watch, pods)
    clean_up = Check(
        name="clean-up",
        goal=f"namespace '{namespace}' to go",
        look=lambda: remove_namespace(client, namespace),
    )

    def meanwhile() -> None:
        if checks[0].result is not None:  # until then, that check looks itself
            watch.look()

    try:
        run_checks(client, checks, timeout_s=_TIMEOUT_S, meanwhile=meanwhile, report=report)
    finally:
        # An interrupted run cleans up as well.
        if pods.is_begun:
            run_checks(client, [clean_up], timeout_s=_LAST_S, meanwhile=meanwhile, report=report)
    if not pods.is_begun:
        clean_up.settle(f"not run: {checks[0].obstacle}", ok=False)
    server = client.access.server
    steady = Check(name="steady", goal=f"{server} to stay ready", look=watch.steady)
    left_s = _TIMEOUT_S - (client.clock() - began) / client.patience
    everything = [*checks, clean_up, steady]
    if silence := _is_sick(everything) and watch.silence():
        steady.settle(f"not run: {silence}", ok=False)
    else:
        run_checks(
            client, [steady], timeout_s=min(_READY_TIMEOUT_S, max(_LAST_S, left_s)), report=report
        )
    return tuple(check.result for check in everything if check.result)


def _checks(
    client: Client, nodes: Sequence[ExpectedNode], watch: Watch, pods: CheckPods
) -> Sequence[Check]:
    traffic = Traffic(client=client, made=pods)
    api = Check(
        name="api",
        goal=f"the API server at {client.access.server}",
        look=watch.first_answer,
        limit_s=_READY_TIMEOUT_S,
        obstacle="the API server is not ready",
    )
    running = Check(
        name="pods",
        goal="the check pods to run",
        look=pods.look,
        needs=api,
        obstacle="not every node runs a check pod",
    )
    return [
        api,
        Check(
            name="nodes",
            goal="the nodes to be Ready",
            look=partial(all_nodes, client, nodes),
            needs=api,
        ),
        Check(name="dns", goal="CoreDNS", look=partial(available_dns, client), needs=api),
        running,
        Check(
            name="service name",
            goal="every pod to resolve the Service's name",
            look=traffic.service_name,
            needs=running,
            limit_s=TRAFFIC_TIMEOUT_S,
        ),
        Check(
            name="pod to pod",
            goal="the pods to reach each other",
            look=traffic.pod_to_pod,
            needs=running,
            limit_s=TRAFFIC_TIMEOUT_S,
        ),
    ]


def _is_sick(checks: Sequence[Check]) -> bool:
    return any(check.result is not None and not check.result.ok for check in checks)
