"""Everything that will exist, in full, before anything does."""

import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bootstrap.model.names import ClusterName
from bootstrap.model.spec import NodeRole, SecurityProfile

#: A node's disk, in the node's directory.
ROOT_VOLUME = "root.qcow2"


class Acceleration(StrEnum):
    """How the hypervisor runs a guest's instructions."""

    KVM = "kvm"
    EMULATED = "emulated"

    @property
    def patience(self) -> int:
        """Multiply deadlines by this."""
        return 6 if self is Acceleration.EMULATED else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """A cable between a worker and the initial control plane, on 127.0.0.1."""

    node: str
    control_plane_mac: str
    control_plane_port: int
    node_mac: str
    node_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node: its domain, its volumes, its addresses."""

    name: str
    role: NodeRole
    uuid: uuid.UUID
    cpus: int
    memory_mib: int
    disk_gib: int
    labels: Mapping[str, str]
    directory: Path
    uplink_mac: str
    address: ipaddress.IPv4Address
    pod_subnet: ipaddress.IPv4Network
    ssh_port: int
    #: Port on the hypervisor host that leads to the API server; control planes only.
    api_port: int | None
    #: The cables that end here: one on a worker, one for each worker on the control plane.
    links: tuple[LinkPlan, ...]

    @property
    def is_control_plane(self) -> bool:
        """Tell whether the node runs the API server."""
        return self.role is NodeRole.CONTROL_PLANE

    @property
    def root_volume(self) -> Path:
        """The writable disk, an overlay on the node image."""
        return self.directory / ROOT_VOLUME

    @property
    def seed_volume(self) -> Path:
        """The cloud-init data, an ISO labelled cidata."""
        return self.directory / "seed.iso"

    @property
    def console_log(self) -> Path:
        """What the node writes to its serial console."""
        return self.directory / "console.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """A whole cluster as it will be."""

    name: ClusterName
    install_id: uuid.UUID
    hypervisor_uri: str
    acceleration: Acceleration
    kubernetes_version: str
    mode: str
    cni: str
    node_subnet: ipaddress.IPv4Network
    pod_subnet: ipaddress.IPv4Network
    service_subnet: ipaddress.IPv4Network
    security_profile: SecurityProfile
    #: Products for the user: kubeconfig, keys, inventory, logs.
    state_directory: Path
    #: Disks, where the hypervisor may read them.
    volume_directory: Path
    nodes: tuple[NodePlan, ...]

    @property
    def control_planes(self) -> tuple[NodePlan, ...]:
        """Nodes that run the API server, the initial one first."""
        return tuple(node for node in self.nodes if node.is_control_plane)

    @property
    def workers(self) -> tuple[NodePlan, ...]:
        """Nodes that only run the users' pods."""
        return tuple(node for node in self.nodes if not node.is_control_plane)

    @property
    def initial_control_plane(self) -> NodePlan:
        """The node that ``kubeadm init`` runs on."""
        return self.control_planes[0]

    @property
    def endpoint(self) -> str:
        """Where the nodes reach the API server, as ``host:port``."""
        return f"{self.initial_control_plane.address}:6443"

    @property
    def server(self) -> str:
        """Where the hypervisor host reaches the API server, as a URL."""
        return f"https://127.0.0.1:{self.initial_control_plane.api_port}"

    @property
    def is_strict(self) -> bool:
        """Tell whether the cluster is closed further than kubeadm's defaults."""
        return self.security_profile is SecurityProfile.STRICT

    @property
    def is_emulated(self) -> bool:
        """Tell whether guests run without KVM, 20 to 30 times slower."""
        return self.acceleration is Acceleration.EMULATED

    @property
    def patience(self) -> int:
        """Multiply deadlines by this."""
        return self.acceleration.patience
