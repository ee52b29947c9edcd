"""The cluster as its API server shows it, through the kubeconfig that the user gets."""

import contextlib
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from bootstrap.adapters.kubernetes import draining
from bootstrap.adapters.kubernetes.access import Access, read_access
from bootstrap.adapters.kubernetes.client import (
    ApiFailureError,
    Client,
    ForbiddenError,
    UnansweredError,
)
from bootstrap.adapters.kubernetes.connection import connected
from bootstrap.adapters.kubernetes.dumping import dump
from bootstrap.adapters.kubernetes.load import read_pods, read_use
from bootstrap.adapters.kubernetes.manifests import join_token_name, join_token_secret
from bootstrap.adapters.kubernetes.nodes import read_nodes
from bootstrap.adapters.kubernetes.pods import PATH, PREFIX
from bootstrap.adapters.kubernetes.verify import verify
from bootstrap.errors import BootstrapError
from bootstrap.ports import CheckResult, ExpectedNode, NodeUse, PodState
from bootstrap.waiting import NotYet

_SECRETS = f"{PATH}/kube-system/secrets"
_TOKEN_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesClusterApi:
    """Implements ``ports.ClusterApi``; opens one connection pool a call and closes it."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random_suffix: Callable[[], str] = lambda: secrets.token_hex(4)
    #: Deadline of a single request; times the patience.
    call_timeout_s: float = 10.0

    def verify(
        self,
        kubeconfig: Path,
        nodes: Sequence[ExpectedNode],
        *,
        patience: int,
        report: Callable[[str], None] = lambda _seen: None,
    ) -> Sequence[CheckResult]:
        """See ``ports.ClusterApi``."""
        namespace = PREFIX + self.random_suffix()
        with self._client(read_access(kubeconfig), patience) as client:
            return verify(client, nodes, namespace=namespace, report=report)

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "read the nodes") as client:
            return {view.name: view.status for view in read_nodes(client)}

    def list_pods(self, kubeconfig: Path) -> Sequence[PodState]:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "list the pods") as client:
            return read_pods(client)

    def use_of_nodes(self, kubeconfig: Path, nodes: Collection[str]) -> Mapping[str, NodeUse]:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "ask for the load of nodes") as client:
            return read_use(client, nodes)

    def check_ready(self, kubeconfig: Path) -> None:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "ask for its readiness") as client:
            client.get("/readyz")

    def objects(self, kubeconfig: Path, resource: str, *, patience: int) -> str:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, f"read {resource}", patience) as client:
            return dump(client, resource)

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        """See ``ports.ClusterApi``."""
        expires = self.now() + timedelta(seconds=lifetime_s)
        secret = join_token_secret(token, expires=expires)
        with self._asking(kubeconfig, "create a join token") as client:
            client.wait(
                f"the API server at {client.access.server} to take a join token",
                lambda: client.create(_SECRETS, secret),
                timeout_s=_TOKEN_TIMEOUT_S,
            )

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "remove a join token") as client:
            client.delete(f"{_SECRETS}/{join_token_name(token)}")

    def cordon(self, kubeconfig: Path, node: str) -> bool:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "cordon a node") as client:
            return draining.cordon(client, node)

    def uncordon(self, kubeconfig: Path, nodes: Collection[str]) -> bool:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "uncordon nodes") as client:
            return draining.uncordon(client, nodes)

    def evict_pods(self, kubeconfig: Path, node: str) -> None:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "evict the pods of a node") as client:
            draining.evict_pods(client, node)

    def remove_node(self, kubeconfig: Path, node: str) -> None:
        """See ``ports.ClusterApi``."""
        with self._asking(kubeconfig, "remove a node") as client:
            draining.remove_node(client, node)

    def certificate_expiry(self, kubeconfig: Path) -> datetime:
        """See ``ports.ClusterApi``."""
        certificate = read_access(kubeconfig).certificate
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc

    @contextlib.contextmanager
    def _asking(self, kubeconfig: Path, action: str, patience: int = 1) -> Iterator[Client]:
        access = read_access(kubeconfig)
        try:
            with self._client(access, patience) as client:
                try:
                    yield client
                except ForbiddenError as error:
                    if client.is_ready():
                        raise
                    raise NotYet(str(error)) from error
        except UnansweredError as error:
            raise NotYet(str(error)) from error
        except ApiFailureError as error:
            raise BootstrapError(
                f"Could not {action} through the API server at '{access.server}'.",
                details=str(error),
                hint=access.hint,
            ) from error

    @contextlib.contextmanager
    def _client(self, access: Access, patience: int) -> Iterator[Client]:
        with connected(access, timeout_s=self.call_timeout_s * patience) as send:
            yield Client(
                access=access, send=send, clock=self.clock, sleep=self.sleep, patience=patience
            )
