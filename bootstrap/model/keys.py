"""Keys that a node is born with."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """What a node's seed carries of keys."""

    host_private_key: str = field(repr=False)
    host_public_key: str
    authorized_key: str
