"""The checks that stand between a finished run and exit status 0, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bootstrap.adapters.kubernetes import namespaces
from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.dns import available_dns
from bootstrap.adapters.kubernetes.ledger import Ledger
from bootstrap.adapters.kubernetes.nodes import READY, all_nodes, read_nodes
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.adapters.kubernetes.pods import (
    make_pods,
    running_pods,
    service_address,
    wait_for_pods,
)
from bootstrap.adapters.kubernetes.readiness import Watch
from bootstrap.adapters.kubernetes.traffic import Traffic
from bootstrap.errors import VerifyError
from bootstrap.ports import CheckResult, ExpectedNode

_LOOK_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One run of all checks against one API server."""

    client: Client
    pace: Pace
    nodes: Sequence[ExpectedNode]
    namespace: str

    def results(self) -> tuple[CheckResult, ...]:
        """Run every check that can run; each gives exactly one line."""
        ledger = Ledger(ask=lambda: self.client.get("/readyz"))
        watch = Watch(self.client, self.pace)
        ledger.run("api", watch.begin, blocks="the API server is not ready")
        pace = replace(self.pace, sleep=lambda seconds: watch.sleeping(seconds, self.pace.sleep))
        replace(self, pace=pace).look_at_the_rest(ledger)
        ledger.run_alone("steady", watch.end)
        return tuple(ledger.results)

    def look_at_the_rest(self, ledger: Ledger) -> None:
        """Run the checks that need an API server which is ready."""
        ledger.run("nodes", lambda: all_nodes(self.client, self.pace, self.nodes))
        ledger.run("dns", lambda: available_dns(self.client, self.pace))
        is_untouched = bool(ledger.blocked)
        try:
            ledger.run("pods", self._pods, blocks="not every node runs a check pod")
            ledger.run("service name", lambda: self._traffic().service_name())
            ledger.run("pod to pod", lambda: self._traffic().pod_to_pod())
        finally:
            # An interrupted run cleans up as well.
            (ledger.run if is_untouched else ledger.run_always)("clean-up", self._clean_up)

    def _pods(self) -> str:
        namespaces.make_namespace(self.client, self.pace, self.namespace)
        remark = namespaces.remove_leftovers(self.client, self.namespace)
        # A node that is not Ready runs nothing; the others show whether the scheduler works.
        views = self.pace.wait("the nodes", self._read_nodes, timeout_s=_LOOK_TIMEOUT_S)
        ready = [node.name for node in self.nodes if views.get(node.name) == READY]
        make_pods(self.client, self.pace, self.namespace, ready)
        evidence = wait_for_pods(self.client, self.pace, self.namespace, ready)
        absent = [node.name for node in self.nodes if node.name not in ready]
        if absent:
            raise VerifyError(f"no pod on {', '.join(absent)}: not Ready; {evidence}")
        return evidence + remark

    def _read_nodes(self) -> dict[str, str]:
        return {view.name: view.status for view in read_nodes(self.client)}

    def _traffic(self) -> Traffic:
        return self.pace.wait("the check pods", self._observe, timeout_s=_LOOK_TIMEOUT_S)

    def _observe(self) -> Traffic:
        pods = running_pods(self.client, self.namespace)
        if len(pods) != len(self.nodes):
            raise VerifyError(f"{len(pods)} of {len(self.nodes)} check pods still run")
        return Traffic(
            client=self.client,
            pace=self.pace,
            namespace=self.namespace,
            service_ip=service_address(self.client, self.namespace),
            pods=pods,
        )

    def _clean_up(self) -> str:
        return namespaces.remove_namespace(self.client, self.pace, self.namespace)
