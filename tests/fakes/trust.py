"""Keys that are only words, the same for the same cluster until they are lost."""

import base64
from collections.abc import Collection, Mapping
from pathlib import Path

from bootstrap.errors import StateError
from bootstrap.model.keys import CertificatePair, NodeKeys, check_alias
from bootstrap.model.names import ClusterName
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
        #: The nodes that have keys, and how often each of them had new ones.
        self.nodes: set[str] = set()
        self._renewals: dict[str, int] = {}
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

    def user_certificate(self, cluster: ClusterName) -> CertificatePair:
        self._read()
        own = f"{cluster} {self._generation}"
        return CertificatePair(certificate_pem=f"user {own}\n", key_pem=f"key {own}\n")

    def saved(self, nodes: Collection[str]) -> Mapping[str, str]:
        self._read()
        self.nodes |= set(nodes)
        renewals = {node: str(self._renewals.get(node, 0)) for node in nodes}
        return {"generation": str(self._generation), **renewals}

    def restore(self, files: Mapping[str, str], *, with_ssh: bool) -> bool:
        self.called("restore")
        if "generation" not in files:
            raise StateError("The keys are damaged.", hint="bootstrap snapshot list")
        renewals = {node: int(text) for node, text in files.items() if node != "generation"}
        renewals = renewals if with_ssh else {}
        known = {node: self._renewals.get(node, 0) for node in renewals}
        if (self._generation, known) == (int(files["generation"]), renewals):
            return False
        self._generation = int(files["generation"])
        self._renewals |= renewals
        return self.changed("restore")

    def client_key_file(self) -> Path:
        return Path("/state/ssh/client")

    def encryption_key(self) -> str:
        self._read()
        return base64.b64encode(bytes([self._encryption_generation]) * 32).decode()

    def node_keys(self, node: str) -> NodeKeys:
        check_alias(node)
        self._read()
        self.nodes.add(node)
        own = f"{node}-{self._generation}{self._renewals.get(node, 0) or ''}"
        return NodeKeys(
            host_private_key=f"-----BEGIN OPENSSH PRIVATE KEY-----\n{own}\n",
            host_public_key=f"ssh-ed25519 AAAA{own} bootstrap",
            authorized_key=f"ssh-ed25519 AAAAclient{self._generation} bootstrap",
        )

    def remove_node_keys(self, node: str) -> bool:
        check_alias(node)
        self.called("remove_node_keys", node)
        if node not in self.nodes:
            return False
        self.nodes.discard(node)
        self._renewals[node] = self._renewals.get(node, 0) + 1
        return self.changed("remove_node_keys", node)

    def new_join_token(self) -> str:
        self._tokens += 1
        return f"{self._tokens:06d}.{self._tokens:016d}"

    def _read(self) -> None:
        if self.is_damaged:
            raise StateError("The file 'authorities.json' is damaged.", hint="bootstrap down demo")
