"""Keys that are only words, the same for the same cluster until they are lost."""

import base64
from collections.abc import Mapping

from bootstrap.model.keys import NodeKeys
from tests.fakes.recording import Fake, Journal


class FakeTrust(Fake):
    """Implements ``Trust``."""

    port = "trust"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self._generation = self._encryption_generation = 1
        self._tokens = 0

    def lose(self) -> None:
        """Forget the keys, so that the next ones are others."""
        self._generation += 1

    def lose_encryption_key(self) -> None:
        """Forget that key only."""
        self._encryption_generation += 1

    def certificates(self) -> Mapping[str, str]:
        names = ("ca.crt", "ca.key", "etcd/ca.crt", "etcd/ca.key", "sa.key", "sa.pub")
        return {name: f"{name} {self._generation}\n" for name in names}

    def authority_hash(self) -> str:
        return f"sha256:{self._generation:064x}"

    def encryption_key(self) -> str:
        return base64.b64encode(bytes([self._encryption_generation]) * 32).decode()

    def node_keys(self, node: str) -> NodeKeys:
        return NodeKeys(
            host_private_key=f"-----BEGIN OPENSSH PRIVATE KEY-----\n{node}\n",
            host_public_key=f"ssh-ed25519 AAAA{node} bootstrap",
            authorized_key=f"ssh-ed25519 AAAAclient{self._generation} bootstrap",
        )

    def new_join_token(self) -> str:
        self._tokens += 1
        return f"abcdef.{self._tokens:016d}"
