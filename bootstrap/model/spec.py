"""What the user asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated

from bootstrap.model.facts import Remembered
from bootstrap.model.names import ClusterName
from bootstrap.model.sources import Source

MAX_WORKERS = 99


class NodeRole(StrEnum):
    """What a node does in the cluster."""

    CONTROL_PLANE = "control-plane"
    WORKER = "worker"


class SecurityProfile(StrEnum):
    """How much a cluster refuses: docs/explanation/security-profiles.md."""

    DEFAULT = "default"
    STRICT = "strict"


def label_text(labels: Mapping[str, str]) -> str:
    """Write labels as one line; neither a key nor a value can hold a separator."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def labels_of(text: str) -> dict[str, str]:
    """Read what :func:`label_text` wrote."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {key: value for key, _, value in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroupSpec:
    """Nodes that are alike."""

    role: NodeRole
    count: int
    cpus: Annotated[int, Remembered("cpus", int)]
    memory_mib: Annotated[int, Remembered("memoryMiB", int)]
    disk_gib: Annotated[int, Remembered("diskGiB", int)]
    labels: Annotated[Mapping[str, str], Remembered("labels", labels_of, label_text)]
    #: None means the version of Kubernetes.
    kubelet_version: Annotated[
        str | None, Remembered("kubeletVersion", lambda text: text or None, lambda it: it or "")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkingSpec:
    """The three address ranges, which never overlap, and how they are joined."""

    mode: str
    cni: str
    node_subnet: Annotated[IPv4Network, Remembered("nodeSubnet", IPv4Network)]
    pod_subnet: Annotated[IPv4Network, Remembered("podSubnet", IPv4Network)]
    service_subnet: Annotated[IPv4Network, Remembered("serviceSubnet", IPv4Network)]
    #: Port on the hypervisor host's 127.0.0.1; none means that the tool picks one.
    api_server_port: int | None
    #: Whether pods reach the host's 127.0.0.1 through the uplink's gateway.
    host_access: Annotated[bool, Remembered("hostAccess", json.loads, json.dumps)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySpec:
    """What the cluster refuses."""

    profile: Annotated[SecurityProfile, Remembered("securityProfile", SecurityProfile)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """A whole cluster, valid in itself."""

    name: ClusterName
    kubernetes_version: Annotated[str, Remembered("kubernetesVersion")]
    #: Of a new cluster; an existing one has its node image.
    source: Source
    #: None means the default of the user who runs the tool.
    hypervisor_uri: str | None
    node_groups: tuple[NodeGroupSpec, ...]
    networking: NetworkingSpec
    security: SecuritySpec

    def count(self, role: NodeRole) -> int:
        """Count the nodes of a role."""
        return sum(group.count for group in self.node_groups if group.role is role)

    def kubelet_of(self, group: NodeGroupSpec) -> str:
        """Return the version of the kubelet on the nodes of a group."""
        return group.kubelet_version or self.kubernetes_version

    @property
    def kubelet_versions(self) -> tuple[str, ...]:
        """The versions of all nodes' kubelets, each once, those of control planes first."""
        by_role = sorted(self.node_groups, key=lambda group: group.role is NodeRole.WORKER)
        return tuple(dict.fromkeys(map(self.kubelet_of, by_role)))
