"""The table of the cluster file's fields; everything about a field but its use comes from it.

A line here and one in ``model.spec`` make a field: its key, type, default and description, the
option of the command line that sets it, and the checks of its value. The loader, the options,
the JSON Schema, the starter file and docs/reference/cluster-file.md are made from this table.
A field has the name of the spec's field that it becomes; a key differs by ``key``. Checks that
need several values are in ``checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bootstrap.config.problems import Path
from bootstrap.config.profiles import Profile, listed_nodes
from bootstrap.config.values import (
    Boolean,
    Disk,
    LabelKey,
    LabelValue,
    Memory,
    Name,
    ServiceSubnet,
    Subnet,
    one_of,
)
from bootstrap.model.sources import Source
from bootstrap.model.spec import (
    MAX_WORKERS,
    ClusterSpec,
    NetworkingSpec,
    NodeGroupSpec,
    NodeRole,
    SecurityProfile,
    SecuritySpec,
)
from bootstrap.model.versions import DEFAULT_VERSION, SUPPORTED_VERSIONS

API_VERSION = "bootstrap.dev/v1alpha1"
KIND = "Cluster"


@dataclass(frozen=True, slots=True)
class Flag:
    """The option of the command line that sets a field; of all node groups or those of a role."""

    option: str
    role: NodeRole | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class ByRole:
    """A default that depends on the node group's role."""

    control_plane: object
    worker: object

    def __call__(self, group: dict[str, Any]) -> object:
        """Return the default of a group, of which the role is known."""
        return self.worker if group["role"] is NodeRole.WORKER else self.control_plane


def _field(description: str, default: Any = ..., *, key: str | None = None) -> Any:  # noqa: ANN401
    """Describe a field. A default is written as in the file; None means that there is none."""
    if isinstance(default, ByRole):
        words = f"by default {default.control_plane} for a control plane, {default.worker} for a "
        text = f"{description}; {words}worker."
        return Field(default_factory=default, alias=key, description=text)
    is_written = default is not None and default is not ...
    return Field(default, alias=key, description=description, validate_default=is_written)


class Section(BaseModel):
    """A mapping of the file: its keys in camelCase, no others, nothing converted."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_default=True, alias_generator=to_camel
    )
    #: The part of the spec that the fields become.
    spec: ClassVar[type] = ClusterSpec


class Metadata(Section):
    """What the cluster is called."""

    # The context in the kubeconfig is then bootstrap-bootstrap: plain, and clearly ours.
    name: Annotated[Name, Flag("NAME")] = _field(
        "Names the cluster, its nodes, and its context in the kubeconfig.", "bootstrap"
    )


class Hypervisor(Section):
    """Where the nodes run."""

    hypervisor_uri: Annotated[
        str,
        one_of("a supported URI", ("qemu:///session", "qemu:///system")),
        Field(examples=["qemu:///session"]),
        Flag("--hypervisor"),
    ] = _field(
        "libvirt's daemon: qemu:///session needs no privilege and is an ordinary user's "
        "default; qemu:///system is root's.",
        None,
        key="uri",
    )


class NodeGroup(Section):
    """The nodes, in groups of equal ones; by default one control plane and one worker."""

    spec: ClassVar[type] = NodeGroupSpec

    role: Annotated[NodeRole, one_of("a role", NodeRole)] = _field(
        "What the nodes do: control-plane runs the API server, worker only runs pods.",
        NodeRole.CONTROL_PLANE.value,
    )
    count: Annotated[
        int,
        Field(ge=0, le=MAX_WORKERS),
        Flag("--workers", NodeRole.WORKER, "Number of workers."),
        Flag("--control-planes", NodeRole.CONTROL_PLANE, "Number of control planes."),
    ] = _field("How many nodes of this kind.", 1)
    # kubeadm refuses control planes with one, and under emulation the API server of such a
    # node never starts. A worker is idle until it gets pods, so one is enough.
    cpus: Annotated[int, Field(ge=1, le=128), Flag("--cpus")] = _field(
        "Virtual CPUs of each node", ByRole(2, 1)
    )
    # Measured in use: 1.5 GB on a control plane, 0.65 GB on a worker without pods of users.
    # The rest is for the page cache and for those pods.
    memory_mib: Annotated[Memory, Flag("--memory")] = _field(
        "Memory of each node", ByRole("3GiB", "2GiB"), key="memory"
    )
    # Volumes grow as they are written to, so this costs nothing until it is used.
    disk_gib: Annotated[Disk, Flag("--disk")] = _field(
        "Size of each node's disk; it takes space on the host only as it fills.",
        "20GiB",
        key="disk",
    )
    labels: dict[LabelKey, LabelValue] = Field(
        {},
        description="Labels that the nodes get in Kubernetes.",
        examples=[{"disk": "fast"}],
        json_schema_extra={"additionalProperties": False},
    )
    kubelet_version: Annotated[
        str,
        one_of("a supported version", SUPPORTED_VERSIONS),
        Field(examples=[DEFAULT_VERSION]),
        Flag("--kubelet-version", NodeRole.WORKER, "Version of the workers' kubelet."),
    ] = _field(
        "The version of a worker's kubelet, up to three minors older than Kubernetes; by default "
        "that of Kubernetes.",
        None,
    )


class Networking(Section):
    """How nodes and pods reach each other; the address ranges must not overlap."""

    spec: ClassVar[type] = NetworkingSpec

    # Cables between the nodes and a switch: needs no privilege, bridge or firewall rule.
    mode: Annotated[str, one_of("a mode", ("links",))] = _field(
        "How the nodes reach each other: links are cables to a switch of its own.", "links"
    )
    # Built in, nothing to download.
    cni: Annotated[str, one_of("a CNI", ("bridge",))] = _field(
        "How pods reach each other: bridge is CNI's own; a node answers for its pods.", "bridge"
    )
    # Flannel's range, which most add-ons' manifests assume.
    pod_subnet: Subnet = _field("Addresses of pods; each node gets a /24 of it.", "10.244.0.0/16")
    # kubeadm's own default.
    service_subnet: ServiceSubnet = _field("Addresses of services.", "10.96.0.0/12")
    # Lies in neither of the above, nor in QEMU's 10.0.2.0/24, and has room for 99 workers.
    node_subnet: Subnet = _field(
        "Addresses of the nodes on the cluster's own network.", "10.44.0.0/24"
    )
    api_server_port: Annotated[
        int, Field(ge=1024, le=65535, examples=[6443]), Flag("--api-server-port")
    ] = _field(
        "Port on the host's 127.0.0.1 that leads to the API server; by default a free one.", None
    )
    # What listens on 127.0.0.1 expects the host's own users, not whatever runs in a pod.
    host_access: Boolean = _field(
        "Whether pods reach what listens on the host's 127.0.0.1, at 10.0.2.2.",
        False,  # noqa: FBT003 - a default, as in the file
    )


class Security(Section):
    """What the cluster refuses."""

    spec: ClassVar[type] = SecuritySpec

    # The default costs nothing. Strict refuses pods that the most used charts still make.
    profile: Annotated[
        SecurityProfile,
        one_of("a security profile", SecurityProfile),
        Flag("--security-profile"),
    ] = _field(
        "strict adds Pod Security, an audit log, encryption of Secrets at rest and TLS 1.3; "
        "it is chosen when a cluster is made.",
        SecurityProfile.DEFAULT.value,
    )


class ClusterFile(Section):
    """A Kubernetes cluster on virtual machines, as `bootstrap up` makes it."""

    model_config = ConfigDict(title=KIND)

    api_version: Annotated[str, one_of("an apiVersion", (API_VERSION,))] = _field(
        "The version of the file's format."
    )
    kind: Annotated[str, one_of("a kind", (KIND,))] = _field("What the file describes.")
    metadata: Metadata = Field(default_factory=Metadata)
    kubernetes_version: Annotated[
        str, one_of("a supported version", SUPPORTED_VERSIONS), Flag("--kubernetes-version")
    ] = _field("The version of Kubernetes.", DEFAULT_VERSION)
    # What a cluster refuses is decided apart: a cluster of CI may be strict.
    profile: Annotated[Profile, one_of("a profile of sizes", Profile), Flag("--profile")] = _field(
        "Sizes that fit together, for what neither the file nor an option sets: ci is three "
        "nodes within 6 GiB.",
        Profile.DEFAULT.value,
    )
    source: Annotated[Source, one_of("a source", Source), Flag("--source")] = _field(
        "Where Kubernetes comes from: go builds it from Go modules, upstream takes the projects' "
        "own releases and images; auto takes what is in the cache, else upstream if it answers, "
        "else go.",
        Source.AUTO.value,
    )
    hypervisor: Hypervisor = Field(default_factory=Hypervisor)
    # One of each: the smallest cluster in which a pod can talk to a pod on another node.
    node_groups: tuple[NodeGroup, ...] = Field(
        default_factory=lambda: listed_nodes(Profile.DEFAULT),  # type: ignore[arg-type]
        strict=False,  # YAML has lists, a frozen model has tuples
        alias="nodes",
        description=NodeGroup.__doc__,
    )
    networking: Networking = Field(default_factory=Networking)
    security: Security = Field(default_factory=Security)


def _sections(section: type[Section], path: Path = ()) -> Iterator[tuple[Path, type[Section]]]:
    yield path, section
    for field in section.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield from _sections(kind, (*path, str(field.alias)))


#: Every section by its keys from the top of the file; a list's index is left out.
SECTIONS = dict(_sections(ClusterFile))
