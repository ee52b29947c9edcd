"""What exists, as the hypervisor tells it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bootstrap.model.identity import Identity
from bootstrap.model.layout import LAYOUT
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import NodeRole


class DomainState(StrEnum):
    """What a domain does now, in libvirt's words."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUT_OFF = "shut off"
    CRASHED = "crashed"
    SAVED = "saved"
    OTHER = "other"
    #: Not libvirt's word: it runs, and its libvirt calls it shut off.
    STRAY = "stray"


#: Why libvirt says a domain is paused when a user has paused it, or when it does not say.
_AT_REST = ("by a user", "")


class ClusterState(StrEnum):
    """How a cluster is, in one word; a cluster that rests is not sick."""

    RUNNING = "running"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    #: Some nodes run, and the others are stopped or suspended.
    PARTLY_STOPPED = "partly stopped"
    #: Something is wrong with it.
    SICK = "sick"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The ownership mark on a domain, and what a rerun must know of it."""

    install_id: uuid.UUID
    owner_uid: int
    cluster: ClusterName
    #: The node's name inside the cluster; that of the switch is ``switch``.
    node: str
    #: None on what is not a node: the switch.
    role: NodeRole | None
    #: Host ports by use: ``ssh``, ``api``, ``cable``, ``switch``.
    ports: Mapping[str, int]
    directory: Path
    #: The cluster's own choices that a later run must not change, such as subnets.
    facts: Mapping[str, str]
    created: str
    #: Which layout the domain's cluster was made by; only the current one is worked on.
    layout: int = LAYOUT

    def is_on(self, domain: uuid.UUID, *, install_id: uuid.UUID) -> bool:
        """Tell whether this install put the mark on that domain; a copy has another UUID."""
        made_for = Identity(install_id, self.cluster).uuid_of("domain", self.node)
        return self.install_id == install_id and made_for == domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain that carries our mark."""

    #: What libvirt calls it.
    domain_name: str
    uuid: uuid.UUID
    state: DomainState
    reason: str
    is_emulated: bool
    mark: Mark

    @property
    def is_switch(self) -> bool:
        """Tell whether it is the switch of a cluster of this layout, and so no node."""
        return self.mark.role is None and self.mark.layout == LAYOUT

    @property
    def is_control_plane(self) -> bool:
        """Tell whether the node runs the API server."""
        return self.mark.role is NodeRole.CONTROL_PLANE

    @property
    def is_sick(self) -> bool:
        """Tell whether it is in a state that no command makes; libvirt gives the reason."""
        is_broken = self.state in {DomainState.CRASHED, DomainState.OTHER, DomainState.STRAY}
        return is_broken or (self.state is DomainState.PAUSED and self.reason not in _AT_REST)

    @property
    def is_off(self) -> bool:
        """Tell whether the domain has no power; one that is suspended has."""
        return self.state in {DomainState.SHUT_OFF, DomainState.CRASHED, DomainState.SAVED}

    @property
    def memory_mib(self) -> int:
        """Memory of its guest; 0 if its mark does not tell."""
        return int(self.mark.facts.get("memoryMiB", "0"))

    @property
    def kubelet_version(self) -> str:
        """The version of its kubelet, as it was planned; that of Kubernetes if nothing tells."""
        facts = self.mark.facts
        return facts.get("kubeletVersion") or facts.get("kubernetesVersion", "")

    @property
    def acceleration(self) -> Acceleration:
        """How its guest's instructions run."""
        return Acceleration.EMULATED if self.is_emulated else Acceleration.KVM

    @property
    def patience(self) -> int:
        """Multiply deadlines by this."""
        return self.acceleration.patience

    @property
    def name(self) -> str:
        """The node's name inside its cluster."""
        return self.mark.node

    @property
    def ssh_port(self) -> int:
        """Port on 127.0.0.1 that leads to the node's SSH server."""
        return self.mark.ports["ssh"]

    @property
    def directory(self) -> Path:
        """Where the node's volumes are."""
        return self.mark.directory

    @property
    def console_log(self) -> Path:
        """What the node writes to its serial console."""
        return self.mark.directory / "console.log"


def machine_state(nodes: Sequence[Domain]) -> ClusterState:
    """Return the state of a cluster as far as its nodes' machines tell."""
    if any(node.is_sick for node in nodes):
        return ClusterState.SICK
    states = {DomainState.SHUT_OFF if node.is_off else node.state for node in nodes}
    whole = {
        DomainState.RUNNING: ClusterState.RUNNING,
        DomainState.SHUT_OFF: ClusterState.STOPPED,
        DomainState.PAUSED: ClusterState.SUSPENDED,
    }
    return whole[states.pop()] if len(states) == 1 else ClusterState.PARTLY_STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """What a node image is made from, known before one is built."""

    #: The same for images that differ only in the day on which their packages were fetched.
    key: str
    #: The directories with all that building makes, to be kept for another host.
    directories: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImage:
    """A built node image: all nodes with the same kubelet overlay it."""

    key: str
    disk: Path
    kernel: Path
    initrd: Path
    kubernetes_version: str
    #: The same, unless the image is for nodes with an older kubelet.
    kubelet_version: str
    size_bytes: int
    #: The SHA-256 of the disk when it was built; the same key may be built to other bytes.
    sha256: str
    #: When the oldest of its Debian packages was fetched, in ISO 8601; empty if unknown.
    packages_fetched: str


#: The images of a cluster's nodes, by the versions of their kubelets.
NodeImages = Mapping[str, NodeImage]
