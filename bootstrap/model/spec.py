"""What the user asked for."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bootstrap.model.names import ClusterName


class NodeRole(StrEnum):
    """What a node does in the cluster."""

    CONTROL_PLANE = "control-plane"
    WORKER = "worker"


class SecurityProfile(StrEnum):
    """How far a cluster is closed beyond what kubeadm does; docs/security-profiles.md."""

    DEFAULT = "default"
    STRICT = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroupSpec:
    """Nodes that are alike."""

    role: NodeRole
    count: int
    cpus: int
    memory_mib: int
    disk_gib: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkingSpec:
    """The three address ranges, which never overlap, and how they are joined."""

    mode: str
    cni: str
    node_subnet: ipaddress.IPv4Network
    pod_subnet: ipaddress.IPv4Network
    service_subnet: ipaddress.IPv4Network
    #: Port on the hypervisor host's 127.0.0.1; none means that the tool picks one.
    api_server_port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySpec:
    """What the cluster refuses."""

    profile: SecurityProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A whole cluster, valid in itself."""

    name: ClusterName
    kubernetes_version: str
    #: None means the default of the user who runs the tool.
    hypervisor_uri: str | None
    node_groups: tuple[NodeGroupSpec, ...]
    networking: NetworkingSpec
    security: SecuritySpec

    def count(self, role: NodeRole) -> int:
        """Count the nodes of a role."""
        return sum(group.count for group in self.node_groups if group.role is role)
