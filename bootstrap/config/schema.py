"""The shape of the cluster file: strict, and the source of its JSON Schema.

What belongs to one value is checked here; what needs several is in ``checks``.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bootstrap.config import defaults, fields
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import NodeRole
from bootstrap.model.versions import DEFAULT_VERSION


class StrictModel(BaseModel):
    """A mapping of the file: its keys in camelCase, no others, nothing converted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


def _field(description: str, default: Any = ..., *, shown: str = "") -> Any:  # noqa: ANN401
    """Describe a field; ``shown`` is the default as a user would write it."""
    if not shown:
        return Field(default, description=description)
    return Field(default, description=description, json_schema_extra={"default": shown})


class Metadata(StrictModel):
    """What the cluster is called."""

    name: fields.Name = _field(
        "Names the cluster, its nodes, and its context in the kubeconfig.",
        ClusterName(defaults.NAME),
        shown=defaults.NAME,
    )


class Hypervisor(StrictModel):
    """Where the nodes run."""

    uri: fields.Uri = _field(
        "libvirt's daemon: qemu:///session needs no privilege and is an ordinary user's "
        "default; qemu:///system is root's.",
        None,
    )


class NodeGroup(StrictModel):
    """Nodes that are alike."""

    role: fields.Role = _field(
        "What the nodes do: control-plane runs the API server, worker only runs pods.",
        NodeRole.CONTROL_PLANE,
    )
    count: fields.Count = _field("How many nodes of this kind.", defaults.NODE_COUNT)
    cpus: fields.Cpus = _field(
        "Virtual CPUs of each node; by default 2 for a control plane, 1 for a worker.", None
    )
    memory: fields.Memory = _field(
        "Memory of each node; by default 3GiB for a control plane, 2GiB for a worker.", None
    )
    disk: fields.Disk = _field(
        "Size of each node's disk; it takes space on the host only as it fills.",
        defaults.DISK_GIB,
        shown=f"{defaults.DISK_GIB}GiB",
    )
    labels: dict[fields.LabelKey, fields.LabelValue] = Field(
        default_factory=dict,
        description="Labels that the nodes get in Kubernetes.",
        json_schema_extra={"additionalProperties": False},
    )

    @property
    def cpus_or_default(self) -> int:
        """The nodes' virtual CPUs, from the file or by their role."""
        return self.cpus if self.cpus is not None else defaults.CPUS[self.role]

    @property
    def memory_mib(self) -> int:
        """The nodes' memory, from the file or by their role."""
        return self.memory if self.memory is not None else defaults.MEMORY_MIB[self.role]


class Networking(StrictModel):
    """Address ranges, which must not overlap, and how the nodes are joined."""

    mode: fields.Mode = _field(
        "How the nodes reach each other: links are UDP cables on 127.0.0.1.", defaults.MODE
    )
    cni: fields.Cni = _field(
        "How pods reach each other: bridge is CNI's own, with static routes.", defaults.CNI
    )
    pod_subnet: fields.Subnet = _field(
        "Addresses of pods; each node gets a /24 of it.", defaults.POD_SUBNET
    )
    service_subnet: fields.ServiceSubnet = _field("Addresses of services.", defaults.SERVICE_SUBNET)
    node_subnet: fields.Subnet = _field(
        "Addresses of the nodes on the cluster's own network.", defaults.NODE_SUBNET
    )
    api_server_port: fields.Port = _field(
        "Port on the host's 127.0.0.1 that leads to the API server; by default a free one.", None
    )


class Security(StrictModel):
    """What the cluster refuses."""

    profile: fields.Profile = _field(
        "strict adds Pod Security, an audit log, encryption of Secrets at rest and TLS 1.3; "
        "it is chosen when a cluster is made.",
        defaults.PROFILE,
        shown=defaults.PROFILE.value,
    )


def _default_nodes() -> tuple[NodeGroup, ...]:
    return tuple(NodeGroup.model_validate({"role": role.value}) for role in NodeRole)


class ClusterFile(StrictModel):
    """A Kubernetes cluster on virtual machines, as `bootstrap up` makes it."""

    model_config = ConfigDict(title=fields.KIND)

    api_version: fields.ApiVersion = _field("The version of this format.")
    kind: fields.Kind = _field("What the file describes.")
    metadata: Metadata = Field(default_factory=Metadata, description="What it is called.")
    kubernetes_version: fields.Version = _field("The version of Kubernetes.", DEFAULT_VERSION)
    hypervisor: Hypervisor = Field(default_factory=Hypervisor, description="Where the nodes run.")
    nodes: tuple[NodeGroup, ...] = Field(
        default_factory=_default_nodes,
        strict=False,  # YAML has lists, a frozen model has tuples
        description="The nodes, in groups; by default one control plane and one worker.",
    )
    networking: Networking = Field(
        default_factory=Networking, description="How nodes and pods reach each other."
    )
    security: Security = Field(
        default_factory=Security, description="How far the cluster is closed."
    )
