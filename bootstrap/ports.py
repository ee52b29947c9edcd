"""What the workflow needs of the outside world.

Each port has a fake with memory in ``tests/fakes`` and a real adapter; both pass the
same contract test. Every ``ensure_*`` may be called again without harm and says whether
it changed anything; every ``remove_*`` does nothing if there is nothing.
"""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bootstrap.model.cluster import Domain, Mark, NodeImage
from bootstrap.model.keys import NodeKeys
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import ClusterSpec


class Hypervisor(Protocol):
    """Holds domains. Only those that carry our mark are ever listed or touched."""

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """List our domains by name, of one cluster or of all."""

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        """Make the node's domain exist as planned; does not start it.

        ``emulated`` asks for emulation instead of KVM. A domain that runs keeps running.

        :raises NotOursError: if the name or UUID is taken by a domain without our mark.
        """

    def start_domain(self, name: str) -> bool:
        """Make the domain run: start, resume or restore it, whatever it needs."""

    def power_off_domain(self, name: str) -> bool:
        """Cut the domain's power, as pulling its plug would."""

    def ensure_link(self, node: NodePlan, worker: str) -> bool:
        """Make the running domain of ``node`` have the cable to ``worker``."""

    def remove_domain(self, unique: uuid.UUID) -> bool:
        """Power off and undefine our domain with everything libvirt keeps about it.

        :raises NotOursError: if the domain does not carry our mark.
        """


class Volumes(Protocol):
    """Holds each cluster's disks in a directory of its own with a marker file."""

    def ensure_root_volume(self, node: NodePlan, *, image: NodeImage) -> bool:
        """Make the node's overlay on the image exist; a volume that exists is kept."""

    def ensure_seed_volume(self, node: NodePlan, files: Mapping[str, str]) -> bool:
        """Make the node's seed hold ``files``; written only if it is missing."""

    def remove_seed_volume(self, node: NodePlan) -> bool:
        """Empty the seed once the node has read it."""

    def console(self, node: NodePlan) -> str:
        """Read what the node has written to its serial console since it was last started."""

    def clusters(self) -> Sequence[ClusterName]:
        """Name the clusters that have a directory with our marker."""

    def remove_cluster(self, cluster: ClusterName) -> bool:
        """Remove the cluster's directory and all that we put in it.

        :raises NotOursError: if the directory does not carry our marker.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellResult:
    """How a command on a node ended."""

    exit_status: int
    stdout: str
    stderr: str


class Reachable(Protocol):
    """A node, planned or existing, as far as it takes to reach it."""

    @property
    def name(self) -> str:
        """The node's name."""

    @property
    def ssh_port(self) -> int:
        """Port on 127.0.0.1 that leads to its SSH server."""

    @property
    def directory(self) -> Path:
        """Where its volumes are; the cluster's name is the last part but one."""

    @property
    def console_log(self) -> Path:
        """What it writes to its serial console."""


class NodeShell(Protocol):
    """Runs commands on a node over a connection whose key was known before."""

    def is_ready(self, node: Reachable) -> None:
        """Return when the node takes our key and has finished its first boot.

        :raises NotYet: while it does not, saying what was seen.
        :raises BootstrapError: if another key answers; that is never retried.
        """

    def run(self, node: Reachable, command: str, *, timeout_s: float) -> ShellResult:
        """Run one command as root and wait for its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookResult:
    """What a playbook did on each node, from Ansible's own events."""

    changed: Mapping[str, int]
    #: Nodes that ran the playbook's last task.
    finished: frozenset[str]


class PlaybookRunner(Protocol):
    """Runs the cluster's playbook."""

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        """Run the playbook on ``nodes``; ``secrets`` reach it in a private file only.

        :raises BootstrapError: naming node and task, if a task failed, a node was
            unreachable or a node did not reach the last task.
        """


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
        """Run every check and give each one's evidence; never raises for a sick cluster."""

    def joined_nodes(self, kubeconfig: Path) -> Mapping[str, str]:
        """Give each registered node's status: ``Ready`` or the reason why not.

        :raises NotYet: if the API server does not answer.
        :raises BootstrapError: if it never will: wrong CA, wrong name, credentials refused.
        """

    def create_join_token(self, kubeconfig: Path, token: str, *, lifetime_s: int) -> None:
        """Make the API server accept ``token`` for joining until it expires.

        Waits for an API server that does not answer; a token that exists is kept.

        :raises TimedOutError: if the API server does not answer for five minutes.
        """

    def version(self, kubeconfig: Path) -> str:
        """Give the API server's version; raises as ``joined_nodes`` does."""

    def remove_join_token(self, kubeconfig: Path, token: str) -> None:
        """Make the API server refuse ``token`` from now on."""

    def certificate_expiry(self, kubeconfig: Path) -> CertificateExpiry:
        """Give both ends' dates, past ones too; raises as ``joined_nodes`` does."""


class Images(Protocol):
    """Holds node images, each built once for its content."""

    def find(self, key: str) -> NodeImage | None:
        """Give an image that exists, whatever a new one would be built from."""

    def ensure(self, kubernetes_version: str) -> NodeImage:
        """Give the image, building whatever is missing; reports progress.

        :raises HostError: if the host lacks a tool that building needs.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check of the host found, and the command that mends it."""

    name: str
    ok: bool
    found: str
    fix: str


class Host(Protocol):
    """The hypervisor host itself."""

    def check(self, spec: ClusterSpec, *, running_mib: int, allow_overcommit: bool) -> None:
        """Make sure that the host can hold the cluster; all problems at once.

        ``running_mib`` is the memory that nodes of the cluster use already.

        :raises HostError: with what is missing and the command that mends it.
        """

    def acceleration(self, image: NodeImage) -> Acceleration:
        """Learn by booting the image's kernel whether KVM works here."""

    def allocation(self) -> AbstractContextManager[None]:
        """Hold the host-wide lock under which ports are chosen."""

    def is_port_free(self, port: int) -> bool:
        """Tell whether nobody uses the port on 127.0.0.1, by TCP or UDP."""

    @property
    def cores(self) -> int:
        """Processors that this process may use."""


class Trust(Protocol):
    """Keys and certificates of one cluster, made on this host and kept."""

    def certificates(self) -> Mapping[str, str]:
        """Give the authorities' files by their path under /etc/kubernetes/pki."""

    def authority_hash(self) -> str:
        """Give kubeadm's hash of the cluster's CA certificate."""

    def node_keys(self, node: str) -> NodeKeys:
        """Give the keys that a node's seed carries."""

    def new_join_token(self) -> str:
        """Make a join token; it is not kept."""


class Products(Protocol):
    """The files that a cluster's user gets, in the cluster's state directory."""

    def ensure(self, plan: ClusterPlan, trust: Trust) -> bool:
        """Write the inventory, the SSH files and each node's archive."""

    def ensure_kubeconfig(self, plan: ClusterPlan) -> Path:
        """Write the cluster's own kubeconfig and name it."""

    def merge_kubeconfig(self, own: Path, *, use: bool) -> Path:
        """Merge the cluster's own kubeconfig into the user's, and name that file."""

    def remove_kubeconfig_entries(self, cluster: ClusterName) -> Sequence[str]:
        """Remove our entries from the user's kubeconfig; name those the user changed."""

    def collect_evidence(
        self, cluster: ClusterName, nodes: Sequence[Reachable], shell: NodeShell
    ) -> Path:
        """Save consoles and journals of all nodes and name the directory; never raises."""

    def clusters(self) -> Sequence[ClusterName]:
        """Name the clusters that have a state directory."""

    def remove(self, cluster: ClusterName) -> bool:
        """Remove the cluster's state directory."""


class Progress(Protocol):
    """Tells the user what happens, on stderr."""

    def step(self, title: str) -> None:
        """Begin a step; the one before it is done."""

    def node(self, name: str, status: str) -> None:
        """Say what a node does now."""

    def note(self, text: str) -> None:
        """Say one line that is worth keeping."""
