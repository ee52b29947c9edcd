"""A cluster as its parts and how they are joined, whether planned or existing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Mood(StrEnum):
    """How a part is; each has a colour and a sign of its own."""

    GOOD = "good"
    REST = "rest"
    BAD = "bad"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A node or the switch. What is not known of one is an empty text."""

    name: str
    domain: str
    mood: Mood
    #: How it is, in words.
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePart(Part):
    """A node."""

    role: str
    address: str
    pod_subnet: str
    size: str
    disk: str
    #: The ports of the host's 127.0.0.1, by what they lead to.
    ports: Mapping[str, int]
    #: The API server's own address, on the node that has it.
    endpoint: str


def size_text(cpus: str, memory_mib: str) -> str:
    """Write the size of a node's machine."""
    return f"{cpus} {'cpu' if cpus == '1' else 'cpus'}, {memory_mib} MiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole cluster."""

    cluster: str
    #: What the picture is of, in a few words.
    title: str
    hypervisor: str
    version: str
    #: Where a user of this host reaches the API server.
    server: str
    node_subnet: str
    pod_subnet: str
    service_subnet: str
    switch: Part
    nodes: Sequence[NodePart]
