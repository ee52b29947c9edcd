"""The one allowlist for names, as value types that cannot hold anything else."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Lower-case DNS label of at most 40 characters, so that domain names stay under 63.
CLUSTER_NAME_PATTERN = r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"
CLUSTER_NAME_RULE = "use 1 to 40 of a-z, 0-9 and '-', starting with a letter and not ending in '-'"
_CLUSTER_NAME = re.compile(CLUSTER_NAME_PATTERN + r"\Z")
#: What the switch is called where nodes have their names; no role may be called so.
SWITCH = "switch"


@dataclass(frozen=True, slots=True, order=True)
class ClusterName:
    """A cluster's name: starts with a letter, then letters, digits and ``-``.

    :raises ValueError: for any other text, with the rule in the message.
    """

    text: str

    def __post_init__(self) -> None:
        if not _CLUSTER_NAME.match(self.text) or "\n" in self.text:
            raise ValueError(f"{self.text[:60]!r} is not a cluster name; {CLUSTER_NAME_RULE}")

    def __str__(self) -> str:
        return self.text


def cluster_names(candidates: Iterable[str]) -> list[ClusterName]:
    """Keep those that are cluster names: a copy called "demo (old)" is the user's own."""
    return [ClusterName(text) for text in candidates if _CLUSTER_NAME.match(text)]


def node_name(role: str, index: int) -> str:
    """Return a node's name inside its cluster: the first of a role has no number, then 2, 3."""
    return role if index == 0 else f"{role}{index + 1}"


def node_index(name: str, role: str) -> int | None:
    """Return the index for which :func:`node_name` gives ``name``, or None for another role."""
    number = name.removeprefix(role)
    if number == name or not (number.isascii() and number.isdigit()):
        return 0 if name == role else None
    index = int(number) - 1
    return index if index > 0 and node_name(role, index) == name else None


def domain_name(cluster: ClusterName, node: str) -> str:
    """Return the name that a node, or the switch, has in libvirt."""
    return f"{cluster}-{node}"


def kubeconfig_entry(cluster: ClusterName) -> str:
    """Name the context, cluster and user that a kubeconfig gets for this cluster."""
    return f"bootstrap-{cluster}"
