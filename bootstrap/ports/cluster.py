"""What is asked of the API server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One line of evidence."""

    name: str
    ok: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedNode:
    """A node as the API server must show it."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateExpiry:
    """Until when the certificates on both ends of the user's connection are valid."""

    client: datetime
    server: datetime


class ClusterApi(Protocol):
    """Talks to the API server with the kubeconfig that the user gets, and only with it.

    Every method raises VerifyError for a kubeconfig that holds more than server, CA and
    client certificate: no program is run, no other file is read.
    """

    def verify(
        self, kubeconfig: Path, nodes: Sequence[ExpectedNode], *, patience: int
    ) -> Sequence[CheckResult]:
        """Run every check and give each one's evidence; never raises for a sick cluster.

        The first check is the API server itself: while it fails, so do all others.
        """

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        """Give each registered node's status: ``Ready`` or the reason why not.

        :raises NotYet: if the API server does not answer.
        :raises BootstrapError: if it never will: wrong CA, wrong name, credentials refused.
        """

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        """Make the API server accept ``token`` for joining until it expires.

        Waits for an API server that does not answer; a token that exists is kept.

        :raises TimedOutError: if the API server does not answer for five minutes.
        :raises BootstrapError: if ``token`` is no token, or credentials are refused.
        """

    def version(self, kubeconfig: Path) -> str:
        """Give the API server's version; raises as ``joined_nodes`` does."""

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        """Make the API server refuse ``token`` from now on; raises as ``joined_nodes`` does."""

    def certificate_expiry(self, kubeconfig: Path) -> CertificateExpiry:
        """Give both ends' dates, past ones too; raises as ``joined_nodes`` does."""
