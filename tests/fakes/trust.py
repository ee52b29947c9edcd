"""Keys that are only words, the same for the same cluster until they are lost."""

import base64
from collections.abc import Mapping

from bootstrap.adapters.trust.ssh_keys import check_alias
from bootstrap.errors import StateError
from bootstrap.model.keys import NodeKeys
from tests.fakes.recording import Fake, Journal

_PAIRS = ("ca", "etcd/ca", "front-proxy-ca")
_FILES = (*(f"{pair}.{kind}" for pair in _PAIRS for kind in ("crt", "key")), "sa.key", "sa.pub")


class FakeTrust(Fake):
    """Implements ``Trust``."""

    port = "trust"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.is_damaged = False
        self._generation = self._encryption_generation = 1
        self._tokens = 0

    def lose(self) -> None:
        """Forget the keys, so that the next ones are others."""
        self._generation += 1

    def lose_encryption_key(self) -> None:
        """Forget that key only."""
        self._encryption_generation += 1

    def certificates(self) -> Mapping[str, str]:
        self._read()
        return {name: f"{name} {self._generation}\n" for name in _FILES}

    def authority_hash(self) -> str:
        self._read()
        return f"sha256:{self._generation:064x}"

    def encryption_key(self) -> str:
        self._read()
        return base64.b64encode(bytes([self._encryption_generation]) * 32).decode()

    def node_keys(self, node: str) -> NodeKeys:
        check_alias(node)
        self._read()
        own = f"{node}-{self._generation}"
        return NodeKeys(
            host_private_key=f"-----BEGIN OPENSSH PRIVATE KEY-----\n{own}\n",
            host_public_key=f"ssh-ed25519 AAAA{own} bootstrap",
            authorized_key=f"ssh-ed25519 AAAAclient{self._generation} bootstrap",
        )

    def new_join_token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:06d}.{self._tokens:016d}"

    def _read(self) -> None:
        if self.is_damaged:
            raise StateError("The file 'authorities.json' is damaged.", hint="bootstrap down demo")
