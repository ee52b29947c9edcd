"""Ask the API server: verify a cluster, list its nodes, admit new ones."""

from collections.abc import Callable, Collection, Mapping, Sequence
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

    def __str__(self) -> str:
        return f"{'ok    ' if self.ok else 'FAILED'} {self.name}: {self.evidence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedNode:
    """A node as the API server must show it."""

    name: str
    address: str
    kubelet_version: str
    #: Stopped or suspended on purpose: it is registered, and need not be Ready.
    is_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUse:
    """What a node's kubelet says of its load."""

    #: Processors in use, averaged over its last seconds.
    cpus: float
    #: Memory that cannot be freed without harm.
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """A pod that is on a node, or waits for one."""

    name: str
    #: Empty while it waits for a node.
    node: str
    #: ``Running``, or why not, in the words of kubectl.
    state: str


class ClusterApi(Protocol):
    """Talks to the API server with the kubeconfig that the user gets, and only with it.

    Every method raises VerifyError for a kubeconfig that is damaged or holds more than
    server, CA and client certificate: no program is run, no other file is read.
    """

    def verify(
        self,
        kubeconfig: Path,
        nodes: Sequence[ExpectedNode],
        *,
        patience: int,
        report: Callable[[str], None] = lambda _seen: None,
    ) -> Sequence[CheckResult]:
        """Run every check and return each one's evidence; never raise for a sick cluster.

        The first check is the API server itself: while it fails, so do all others. All checks
        together have five minutes, times ``patience``; cleaning up and proving that the API
        server is steady have a last minute each. Every ten seconds ``report`` gets what is
        not well yet.
        """

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        """Return each registered node's status: ``Ready`` or the reason why not.

        :raises NotYet: if the API server does not answer or is still starting.
        :raises BootstrapError: if it never will: wrong CA, wrong name, credentials refused.
        """

    def list_pods(self, kubeconfig: Path) -> Sequence[PodState]:
        """List the pods of all namespaces by name; raises as ``joined_nodes`` does."""

    def use_of_nodes(self, kubeconfig: Path, nodes: Collection[str]) -> Mapping[str, NodeUse]:
        """Ask the kubelets of nodes for their load; one that does not say is left out.

        Raises as ``joined_nodes`` does.
        """

    def check_ready(self, kubeconfig: Path) -> None:
        """Return if the API server calls itself ready: nothing of its start is left to do.

        Raises as ``joined_nodes`` does.
        """

    def objects(self, kubeconfig: Path, resource: str, *, patience: int) -> str:
        """Return all objects of a resource, named as ``deployments.v1.apps``, as JSON for a reader.

        Values of containers' variables are left out, since they may be secret. An answer may take
        ten seconds times ``patience``.
        Raises as ``joined_nodes`` does.
        """

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        """Make the API server accept ``token`` for joining until it expires.

        Waits for an API server that does not answer; a token that exists is kept.

        :raises TimedOutError: if the API server does not answer for five minutes.
        :raises BootstrapError: if ``token`` is no token, or credentials are refused.
        """

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        """Make the API server refuse ``token`` from now on; raises as ``joined_nodes`` does."""

    def cordon(self, kubeconfig: Path, node: str) -> bool:
        """Keep new pods away from a node; what the user has cordoned stays the user's.

        A node that is not registered is as wanted. Raises as ``joined_nodes`` does.
        """

    def uncordon(self, kubeconfig: Path, nodes: Collection[str]) -> bool:
        """Undo ``cordon`` of those nodes, and nothing that the user did.

        Raises as ``joined_nodes`` does.
        """

    def evict_pods(self, kubeconfig: Path, node: str) -> None:
        """Ask every pod to leave the node, and return when none is left that would.

        Disruption budgets are respected. Pods of a DaemonSet, static pods and pods that have
        ended stay.

        :raises NotYet: while there are others, naming them and what holds them; or as
            ``joined_nodes`` does.
        :raises BootstrapError: as ``joined_nodes`` does.
        """

    def remove_node(self, kubeconfig: Path, node: str) -> None:
        """Unregister a node, and see that it is gone.

        :raises NotYet: while it is still there; or as ``joined_nodes`` does.
        :raises BootstrapError: as ``joined_nodes`` does.
        """

    def certificate_expiry(self, kubeconfig: Path) -> datetime:
        """Return until when the user's certificate is valid, in UTC; the date may be past.

        Reads the kubeconfig alone; the API server need not answer.
        """
