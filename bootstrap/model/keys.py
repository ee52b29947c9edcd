"""Keys and certificates, as the plan's files and the nodes get them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: A node's name or UUID; no pattern, list or hash that known_hosts would give a meaning.
_ALIAS = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """The keys that a node's seed carries."""

    host_private_key: str = field(repr=False)
    host_public_key: str
    authorized_key: str

    @property
    def fingerprint(self) -> str:
        """A hash that tells these keys from any others and reveals nothing of them."""
        text = f"{self.host_public_key}\n{self.authorized_key}\n"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePair:
    """A certificate and its private key, in PEM."""

    certificate_pem: str
    key_pem: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterKeys:
    """All keys that the files of one cluster hold or name."""

    #: The authorities' files by their path under /etc/kubernetes/pki.
    certificates: Mapping[str, str] = field(repr=False)
    #: None unless the plan's profile encrypts Secrets.
    encryption_key: str | None = field(repr=False)
    #: The public host key of each node, by the node's name.
    host_keys: Mapping[str, str]
    client_key_file: Path
    user: CertificatePair


def key_fingerprint(key: str) -> str:
    """Return a hash that names a random key and reveals nothing of it."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def check_alias(alias: str) -> None:
    """Refuse a name that is not a node's name or UUID.

    :raises ValueError: for any other text.
    """
    if not _ALIAS.fullmatch(alias):
        raise ValueError(f"{alias[:60]!r} is not a node's name or UUID")
