"""The one allowlist for names, as value types that cannot hold anything else."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

#: Lower-case DNS label of at most 40 characters, so that node names stay under 63.
CLUSTER_NAME_PATTERN = r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"
_CLUSTER_NAME = re.compile(CLUSTER_NAME_PATTERN + r"\Z")


@dataclass(frozen=True, slots=True, order=True)
class ClusterName:
    """A cluster's name: starts with a letter, then letters, digits and ``-``.

    :raises ValueError: for any other text, with the rule in the message.
    """

    text: str

    def __post_init__(self) -> None:
        if not _CLUSTER_NAME.match(self.text) or "\n" in self.text:
            raise ValueError(
                f"{self.text[:60]!r} is not a cluster name; use 1 to 40 of a-z, 0-9 and '-', "
                "starting with a letter and not ending in '-'"
            )

    def __str__(self) -> str:
        return self.text


def cluster_names(candidates: Iterable[str]) -> list[ClusterName]:
    """Keep those that are cluster names: a copy called "demo (old)" is the user's own."""
    return [ClusterName(text) for text in candidates if _CLUSTER_NAME.match(text)]


def node_name(cluster: ClusterName, role: str, index: int) -> str:
    """Name a node as kind does: the first of a role has no number, the second is 2."""
    return f"{cluster}-{role}" if index == 0 else f"{cluster}-{role}{index + 1}"


def kubeconfig_entry(cluster: ClusterName) -> str:
    """Name the context, cluster and user that a kubeconfig gets for this cluster."""
    return f"bootstrap-{cluster}"
