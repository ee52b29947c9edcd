"""An API server that knows the nodes that joined it."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.adapters.kubernetes.tokens import join_token_secret
from bootstrap.errors import BootstrapError, TimedOutError, VerifyError
from bootstrap.ports import CertificateExpiry, CheckResult, ExpectedNode
from bootstrap.waiting import NotYet
from tests.fakes.recording import Fake, Journal

_END = datetime(2031, 1, 1, tzinfo=UTC)
_CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
_REFUSED = "HTTP 401: the API server does not accept the kubeconfig's certificate"


class FakeClusterApi(Fake):
    """Implements ``ClusterApi``; the playbook's fake makes nodes join."""

    port = "api"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.is_up = False
        #: Whether it takes the user's credentials for wrong.
        self.is_refusing = False
        self.nodes: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.sick_checks: set[str] = set()
        #: Kubeconfigs that hold more than a cluster of ours needs.
        self.spoilt: set[Path] = set()

    def verify(
        self, kubeconfig: Path, nodes: Sequence[ExpectedNode], *, patience: int
    ) -> Sequence[CheckResult]:
        self._called("verify", kubeconfig)
        assert patience >= 1
        bad = self._sick(nodes)
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

    def version(self, kubeconfig: Path) -> str:
        self._called("version", kubeconfig)
        self._answer(kubeconfig)
        return "v1.37.2"

    def certificate_expiry(self, kubeconfig: Path) -> CertificateExpiry:
        self._called("certificate_expiry", kubeconfig)
        self._answer(kubeconfig)
        return CertificateExpiry(client=_END, server=_END)

    def _called(self, method: str, kubeconfig: Path) -> None:
        self.called(method, kubeconfig.name)
        if kubeconfig in self.spoilt:
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
        all_ready = set(self.nodes.values()) <= {"Ready"}
        return self.sick_checks | (set() if all_here and all_ready else {"nodes", "pods"})

    def _answer(self, kubeconfig: Path) -> None:
        if not self.is_up:
            raise NotYet("connection refused")
        if self.is_refusing:
            raise BootstrapError(
                "Could not ask the API server.", details=_REFUSED, hint=_hint(kubeconfig)
            )


def _hint(kubeconfig: Path) -> str:
    return f"kubectl --kubeconfig {shlex.quote(str(kubeconfig))} get --raw /readyz"
