"""An API server that knows the nodes that joined it."""

import json
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.adapters.kubernetes.manifests import join_token_secret
from bootstrap.errors import BootstrapError, TimedOutError, VerifyError
from bootstrap.ports import CheckResult, ExpectedNode, NodeUse, PodState
from bootstrap.waiting import NotYet
from tests.fakes.recording import Fake, Journal

_END = datetime(2031, 1, 1, tzinfo=UTC)
_CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
_REFUSED = "HTTP 401: the API server does not accept the kubeconfig's certificate"


@dataclass(kw_only=True)
class FakePod:
    """A pod on a node."""

    name: str
    node: str
    #: Whether it is of a DaemonSet, static, or has ended.
    stays: bool = False
    #: The disruption budget that lets it not go.
    budget: str = ""
    is_told: bool = False

    def __str__(self) -> str:
        held = f": HTTP 429: The disruption budget {self.budget} needs 1 healthy pods"
        return f"pod default/{self.name} on {self.node}" + (held if self.budget else " is ending")


class FakeClusterApi(Fake):
    """Implements ``ClusterApi``; the playbook's fake makes nodes join."""

    port = "api"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.is_up = False
        #: Whether it refuses the user's credentials.
        self.is_refusing = False
        self.nodes: dict[str, str] = {}
        #: The versions of the kubelets that are not those that were planned.
        self.other_kubelets: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.sick_checks: set[str] = set()
        #: Nodes that take no new pods, and whether we told them so.
        self.cordoned: dict[str, bool] = {}
        self.pods: list[FakePod] = []
        #: Nodes whose objects something keeps.
        self.kept: set[str] = set()
        #: Kubeconfigs that name a program to run.
        self.with_exec: set[Path] = set()

    def verify(
        self,
        kubeconfig: Path,
        nodes: Sequence[ExpectedNode],
        *,
        patience: int,
        report: Callable[[str], None] = lambda _seen: None,
    ) -> Sequence[CheckResult]:
        self._called("verify", kubeconfig)
        assert patience >= 1
        bad = self._sick(nodes)
        if bad:
            report(f"waiting for the checks since 10 s; last seen: {', '.join(sorted(bad))}")
        seen = _REFUSED if self.is_refusing else f"{self.nodes or 'no nodes'}"
        return [
            CheckResult(
                name=name,
                ok=not bad & {name, "api"},
                evidence="as told" if name in self.sick_checks else seen,
            )
            for name in _CHECKS
        ]

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        self._called("joined_nodes", kubeconfig)
        self._answer(kubeconfig)
        return dict(self.nodes)

    def list_pods(self, kubeconfig: Path) -> Sequence[PodState]:
        self._called("list_pods", kubeconfig)
        self._answer(kubeconfig)
        return [PodState(name=pod.name, node=pod.node, state="Running") for pod in self.pods]

    def use_of_nodes(self, kubeconfig: Path, nodes: Collection[str]) -> Mapping[str, NodeUse]:
        self._called("use_of_nodes", kubeconfig)
        self._answer(kubeconfig)
        return {
            name: NodeUse(cpus=0.25, memory_bytes=700 * 1024**2)
            for name in nodes
            if self.nodes.get(name) == "Ready"
        }

    def check_ready(self, kubeconfig: Path) -> None:
        self._called("check_ready", kubeconfig)
        self._answer(kubeconfig)

    def objects(self, kubeconfig: Path, resource: str, *, patience: int) -> str:
        self._called("objects", kubeconfig)
        assert patience > 0
        self._answer(kubeconfig)
        names = sorted(self.nodes) if resource == "nodes.v1" else []
        return json.dumps({"items": [{"metadata": {"name": name}} for name in names]})

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        self._called("create_join_token", kubeconfig)
        assert 0 < lifetime_s <= 3600
        join_token_secret(token, expires=_END)
        try:
            self._answer(kubeconfig)
        except NotYet as pending:
            raise TimedOutError(
                "Timed out after 300 s waiting for the API server to take a join token.",
                details=f"Last seen: {pending}",
                hint=_hint(kubeconfig),
            ) from pending
        if token not in self.tokens:
            self.tokens.add(token)
            self.changed("create_join_token")

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        self._called("remove_join_token", kubeconfig)
        self._answer(kubeconfig)
        self.tokens.discard(token)

    def cordon(self, kubeconfig: Path, node: str) -> bool:
        self._called("cordon", kubeconfig)
        self._answer(kubeconfig)
        if node not in self.nodes or node in self.cordoned:
            return False
        self.cordoned[node] = True
        return self.changed("cordon", node)

    def uncordon(self, kubeconfig: Path, nodes: Collection[str]) -> bool:
        self._called("uncordon", kubeconfig)
        self._answer(kubeconfig)
        ours = [node for node in nodes if self.cordoned.get(node)]
        for node in ours:
            del self.cordoned[node]
        return bool(ours) and self.changed("uncordon", ",".join(ours))

    def evict_pods(self, kubeconfig: Path, node: str) -> None:
        self._called("evict_pods", kubeconfig)
        self._answer(kubeconfig)
        left = [pod for pod in self.pods if pod.node == node and not pod.stays]
        for pod in left:
            pod.is_told = not pod.budget
        # A pod on a node that is not Ready never ends.
        if self.nodes.get(node) == "Ready":
            self.pods = [pod for pod in self.pods if not (pod in left and pod.is_told)]
        if left:
            self.changed("evict_pods", node)
            raise NotYet("; ".join(map(str, sorted(left, key=lambda pod: not pod.budget))))

    def remove_node(self, kubeconfig: Path, node: str) -> None:
        self._called("remove_node", kubeconfig)
        self._answer(kubeconfig)
        if node in self.kept:
            raise NotYet(f"node '{node}' is still registered")
        self.cordoned.pop(node, None)
        if self.nodes.pop(node, None) is not None:
            self.changed("remove_node", node)

    def certificate_expiry(self, kubeconfig: Path) -> datetime:
        self._called("certificate_expiry", kubeconfig)
        return _END

    def _called(self, method: str, kubeconfig: Path) -> None:
        self.called(method, kubeconfig.name)
        if kubeconfig in self.with_exec:
            raise VerifyError(
                f"Could not use the kubeconfig '{kubeconfig}'.",
                details="fields that are not used: user.exec",
                hint=f"kubectl --kubeconfig {shlex.quote(str(kubeconfig))} config view",
            )

    def _sick(self, nodes: Sequence[ExpectedNode]) -> set[str]:
        """Name the checks that fail; without an API server that is all of them."""
        if not self.is_up or self.is_refusing:
            return {"api"}
        all_here = {node.name for node in nodes} <= set(self.nodes)
        off = {node.name for node in nodes if node.is_off}
        all_ready = {state for name, state in self.nodes.items() if name not in off} <= {"Ready"}
        bad = set() if all_here and all_ready else {"nodes", "pods"}
        planned = {node.name: node.kubelet_version for node in nodes}
        if any(planned.get(name, it) != it for name, it in self.other_kubelets.items()):
            bad.add("nodes")
        return self.sick_checks | bad

    def _answer(self, kubeconfig: Path) -> None:
        if not self.is_up:
            raise NotYet("connection refused")
        if self.is_refusing:
            raise BootstrapError(
                "Could not ask the API server.", details=_REFUSED, hint=_hint(kubeconfig)
            )


def _hint(kubeconfig: Path) -> str:
    return f"kubectl --kubeconfig {shlex.quote(str(kubeconfig))} get --raw /readyz"
