"""A file as a node gets it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFile:
    """One file on a node, owned by root."""

    path: str
    text: str
    mode: int = 0o644
