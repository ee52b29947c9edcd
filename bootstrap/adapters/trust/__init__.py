"""Make and keep a cluster's keys, certificates and tokens."""

from bootstrap.adapters.trust.authority import Authorities, ca_certificate_hash
from bootstrap.adapters.trust.pem import CertificatePair, KeyPair
from bootstrap.adapters.trust.ssh_keys import SshKeyPair, known_hosts
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.adapters.trust.token import make_bootstrap_token

__all__ = [
    "Authorities",
    "CertificatePair",
    "KeyPair",
    "SshKeyPair",
    "TrustStore",
    "ca_certificate_hash",
    "known_hosts",
    "make_bootstrap_token",
]
