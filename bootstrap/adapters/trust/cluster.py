"""One cluster's keys, as the workflow asks for them."""

from collections.abc import Mapping

from bootstrap.adapters.trust.authority import ca_certificate_hash
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.adapters.trust.token import make_bootstrap_token
from bootstrap.model.keys import NodeKeys


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

    def new_join_token(self) -> str:
        """See the port."""
        return make_bootstrap_token()
