"""What exists, as the hypervisor tells it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bootstrap.model.identity import Identity
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import NodeRole


class DomainState(StrEnum):
    """What a domain does now, in libvirt's words."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUT_OFF = "shut off"
    CRASHED = "crashed"
    SAVED = "saved"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The ownership mark on a domain, and what a rerun must know of it."""

    install_id: uuid.UUID
    owner_uid: int
    cluster: ClusterName
    node: str
    role: NodeRole
    #: Host ports by use: ``ssh``, ``api``, ``link``, ``control-plane-link``.
    ports: Mapping[str, int]
    directory: Path
    #: The cluster's own choices that a later run must not change, such as subnets.
    facts: Mapping[str, str]
    created: str

    def is_on(self, domain: uuid.UUID, *, install_id: uuid.UUID) -> bool:
        """Tell whether this install put the mark on that domain; a copy has another UUID."""
        made_for = Identity(install_id, self.cluster).uuid_of("domain", self.node)
        return self.install_id == install_id and made_for == domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain that carries our mark."""

    name: str
    uuid: uuid.UUID
    state: DomainState
    reason: str
    is_emulated: bool
    mark: Mark

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeImage:
    """A built node image: all nodes overlay the same one."""

    key: str
    disk: Path
    kernel: Path
    initrd: Path
    kubernetes_version: str
    size_bytes: int
