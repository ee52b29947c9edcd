"""The keys of one cluster, in the form that the workflow needs."""

from collections.abc import Collection, Mapping
from pathlib import Path

from bootstrap.adapters.trust.authority import ca_certificate_hash
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.adapters.trust.token import make_bootstrap_token
from bootstrap.model.keys import CertificatePair, NodeKeys
from bootstrap.model.names import ClusterName


class ClusterTrust:
    """Implements :class:`bootstrap.ports.Trust`; see there for the promises."""

    def __init__(self, store: TrustStore) -> None:
        self._store = store

    def certificates(self) -> Mapping[str, str]:
        """See the port."""
        return self._store.ensure_authorities().files()

    def authority_hash(self) -> str:
        """See the port."""
        return ca_certificate_hash(self._store.ensure_authorities().cluster.certificate_pem)

    def user_certificate(self, cluster: ClusterName) -> CertificatePair:
        """See the port."""
        return self._store.ensure_user_certificate(cluster)

    def encryption_key(self) -> str:
        """See the port."""
        return self._store.ensure_encryption_key()

    def node_keys(self, node: str) -> NodeKeys:
        """See the port."""
        host = self._store.ensure_host_key(node)
        return NodeKeys(
            host_private_key=host.private_text,
            host_public_key=host.public_line,
            authorized_key=self._store.ensure_client_key().public_line,
        )

    def remove_node_keys(self, node: str) -> bool:
        """See the port."""
        return self._store.remove_host_key(node)

    def saved(self, nodes: Collection[str]) -> Mapping[str, str]:
        """See the port."""
        return self._store.saved(nodes)

    def restore(self, files: Mapping[str, str], *, with_ssh: bool) -> bool:
        """See the port."""
        return self._store.restore(files, with_ssh=with_ssh)

    def client_key_file(self) -> Path:
        """See the port."""
        self._store.ensure_client_key()
        return self._store.client_key_file

    def new_join_token(self) -> str:
        """See the port."""
        return make_bootstrap_token()
