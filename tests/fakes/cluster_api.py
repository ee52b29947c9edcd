"""An API server that knows the nodes that joined it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.ports import CertificateExpiry, CheckResult, ExpectedNode
from bootstrap.waiting import NotYet
from tests.fakes.recording import Fake, Journal


class FakeClusterApi(Fake):
    """Implements ``ClusterApi``; the playbook's fake makes nodes join."""

    port = "api"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.is_up = False
        self.nodes: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.sick_checks: set[str] = set()

    def verify(
        self, kubeconfig: Path, nodes: Sequence[ExpectedNode], *, patience: int
    ) -> Sequence[CheckResult]:
        self.called("verify", kubeconfig.name)
        assert patience >= 1
        ready = all(self.nodes.get(node.name) == "Ready" for node in nodes)
        ready = ready and len(self.nodes) == len(nodes)
        return [
            CheckResult(name="nodes", ok=ready, evidence=f"{self.nodes}"),
            CheckResult(name="dns", ok="dns" not in self.sick_checks, evidence="as told"),
        ]

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        self.called("joined_nodes", kubeconfig.name)
        self._answer()
        return dict(self.nodes)

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        self.called("create_join_token", kubeconfig.name)
        self._answer()
        assert 0 < lifetime_s <= 3600
        self.tokens.add(token)
        self.changed("create_join_token")

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        self.called("remove_join_token", kubeconfig.name)
        self.tokens.discard(token)

    def version(self, kubeconfig: Path) -> str:
        self.called("version", kubeconfig.name)
        self._answer()
        return "v1.37.2"

    def certificate_expiry(self, kubeconfig: Path) -> CertificateExpiry:
        self.called("certificate_expiry", kubeconfig.name)
        self._answer()
        end = datetime(2031, 1, 1, tzinfo=UTC)
        return CertificateExpiry(client=end, server=end)

    def _answer(self) -> None:
        if not self.is_up:
            raise NotYet("connection refused")
