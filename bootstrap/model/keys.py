"""Keys that a node is born with."""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """What a node's seed carries of keys."""

    host_private_key: str = field(repr=False)
    host_public_key: str
    authorized_key: str

    @property
    def fingerprint(self) -> str:
        """Tell these keys from any others; nothing can be learnt of them from it."""
        text = f"{self.host_public_key}\n{self.authorized_key}\n"
        return hashlib.sha256(text.encode()).hexdigest()


def key_fingerprint(key: str) -> str:
    """Name a random key without telling it."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
