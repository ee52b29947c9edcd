"""The cluster as its API server shows it, through the kubeconfig that the user got."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.adapters.kubernetes import certificates, namespaces, tokens
from bootstrap.adapters.kubernetes.access import Access, read_access
from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.failures import ApiFailureError, UnansweredError
from bootstrap.adapters.kubernetes.nodes import read_nodes
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.adapters.kubernetes.readiness import read_version
from bootstrap.adapters.kubernetes.verify import Verification
from bootstrap.errors import BootstrapError
from bootstrap.ports import CertificateExpiry, CheckResult, ExpectedNode
from bootstrap.waiting import NotYet

_TOKEN_TIMEOUT_S = 300.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _random_suffix() -> str:
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesClusterApi:
    """Implements ``ports.ClusterApi``; opens one connection pool a call and closes it."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _utc_now
    random_suffix: Callable[[], str] = _random_suffix
    #: Deadline of a single request; times the patience.
    call_timeout_s: float = 10.0

    def verify(
        self, kubeconfig: Path, nodes: Sequence[ExpectedNode], *, patience: int
    ) -> Sequence[CheckResult]:
        """See ``ports.ClusterApi``."""
        access = read_access(kubeconfig)
        with _client(access, self.call_timeout_s * patience) as client:
            return Verification(
                client=client,
                pace=self._pace(patience),
                nodes=nodes,
                namespace=namespaces.PREFIX + self.random_suffix(),
            ).results()

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "read the nodes") as client:
            return {view.name: view.status for view in read_nodes(client)}

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        """See ``ports.ClusterApi``."""
        access = read_access(kubeconfig)
        expires = tokens.expiry(self.now(), lifetime_s)
        secret = tokens.join_token_secret(token, expires=expires)
        with self._asking(kubeconfig, "create a join token") as client:
            self._pace(1).wait(
                f"the API server at {access.server} to take a join token",
                lambda: client.create(tokens.PATH, secret),
                timeout_s=_TOKEN_TIMEOUT_S,
                hint=access.hint,
            )

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "remove a join token") as client:
            client.delete(tokens.secret_path(token))

    def version(self, kubeconfig: Path) -> str:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "read the version") as client:
            return read_version(client)

    def certificate_expiry(self, kubeconfig: Path) -> CertificateExpiry:
        """See ``ports.ClusterApi``."""
        access = read_access(kubeconfig)
        with _translated(access, "read the server's certificate"):
            return certificates.read_expiry(access, timeout_s=self.call_timeout_s)

    def _pace(self, patience: int) -> Pace:
        return Pace(clock=self.clock, sleep=self.sleep, patience=patience)

    @contextlib.contextmanager
    def _asking(self, kubeconfig: Path, action: str) -> Iterator[Client]:
        access = read_access(kubeconfig)
        with _translated(access, action), _client(access, self.call_timeout_s) as client:
            yield client


@contextlib.contextmanager
def _client(access: Access, call_timeout_s: float) -> Iterator[Client]:
    # The official client takes half a second to import, which commands that never ask
    # the API server need not pay.
    from bootstrap.adapters.kubernetes.transport import opened  # noqa: PLC0415

    with opened(access) as transport:
        yield Client(transport=transport, server=access.server, call_timeout_s=call_timeout_s)


@contextlib.contextmanager
def _translated(access: Access, action: str) -> Iterator[None]:
    try:
        yield
    except UnansweredError as error:
        raise NotYet(str(error)) from error
    except ApiFailureError as error:
        raise BootstrapError(
            f"Could not {action} through the API server at '{access.server}'.",
            details=str(error),
            hint=access.hint,
        ) from error
