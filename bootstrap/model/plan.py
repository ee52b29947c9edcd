"""Everything that will exist, in full, before anything does."""

import ipaddress
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bootstrap.model.names import ClusterName
from bootstrap.model.network import API_PORT, endpoint_address
from bootstrap.model.spec import ClusterSpec, NodeRole, SecurityProfile

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


#: Where an end of a cable receives frames: a socket's path, or a UDP port on 127.0.0.1.
CableEnd = Path | int


@dataclass(frozen=True, slots=True, kw_only=True)
class CablePlan:
    """The cable from a node's cluster NIC to the switch."""

    node: str
    node_end: CableEnd
    switch_end: CableEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlan:
    """The domain that joins all cables of a cluster; it has no guest and is no node."""

    domain_name: str
    uuid: uuid.UUID
    #: Private to the cluster; holds the cables' sockets.
    directory: Path
    cables: tuple[CablePlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """One node: its domain, its volumes, its addresses."""

    #: Inside the cluster, where nothing knows the cluster's name.
    name: str
    domain_name: str
    role: NodeRole
    uuid: uuid.UUID
    cpus: int
    memory_mib: int
    disk_gib: int
    labels: Mapping[str, str]
    #: The version of its kubelet, which may be older than that of Kubernetes.
    kubelet_version: str
    directory: Path
    uplink_mac: str
    cluster_mac: str
    address: ipaddress.IPv4Address
    pod_subnet: ipaddress.IPv4Network
    ssh_port: int
    #: Port on the hypervisor host that leads to the API server; control planes only.
    api_port: int | None
    cable: CablePlan

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

    #: What the user asked for, with what an existing cluster keeps.
    spec: ClusterSpec
    install_id: uuid.UUID
    hypervisor_uri: str
    acceleration: Acceleration
    #: Products for the user: kubeconfig, keys, inventory, logs.
    state_directory: Path
    #: Disks, where the hypervisor may read them.
    volume_directory: Path
    switch: SwitchPlan
    nodes: tuple[NodePlan, ...]

    @property
    def name(self) -> ClusterName:
        """The cluster's name."""
        return self.spec.name

    @property
    def kubernetes_version(self) -> str:
        """The version of Kubernetes, such as ``v1.37.2``."""
        return self.spec.kubernetes_version

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
    def endpoint_address(self) -> ipaddress.IPv4Address:
        """The API server's own address, which the initial control plane has beside its own."""
        return endpoint_address(self.spec.networking.node_subnet)

    @property
    def endpoint(self) -> str:
        """Where the nodes reach the API server, as ``host:port``."""
        return f"{self.endpoint_address}:{API_PORT}"

    @property
    def server(self) -> str:
        """Where the hypervisor host reaches the API server, as a URL."""
        return f"https://127.0.0.1:{self.initial_control_plane.api_port}"

    @property
    def is_strict(self) -> bool:
        """Tell whether the cluster is closed further than kubeadm's defaults."""
        return self.spec.security.profile is SecurityProfile.STRICT

    @property
    def is_emulated(self) -> bool:
        """Tell whether guests run without KVM, 20 to 30 times slower."""
        return self.acceleration is Acceleration.EMULATED

    @property
    def patience(self) -> int:
        """Multiply deadlines by this."""
        return self.acceleration.patience
