"""Create the certificate authorities that kubeadm would create.

ECDSA P-256 throughout: RSA keys cost seconds each in an emulated guest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from bootstrap.adapters.trust.issuing import key_usage, new_certificate
from bootstrap.adapters.trust.pem import (
    KeyPair,
    certificate_pair,
    check_key_pair,
    key_pair,
    new_key,
    read_certificate,
    read_private_key,
)
from bootstrap.model.keys import CertificatePair

_LIFETIME = timedelta(days=3650)
#: The common names of kubeadm, by the path of the file under its certificatesDir.
_COMMON_NAMES = {"ca": "kubernetes", "etcd/ca": "etcd-ca", "front-proxy-ca": "front-proxy-ca"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """The keys and certificates that all control planes share."""

    cluster: CertificatePair
    etcd: CertificatePair
    front_proxy: CertificatePair
    service_account: KeyPair

    def files(self) -> dict[str, str]:
        """Return the content of each file by its path under ``/etc/kubernetes/pki``."""
        content = {"sa.pub": self.service_account.public_pem}
        content["sa.key"] = self.service_account.private_pem
        pairs = (self.cluster, self.etcd, self.front_proxy)
        for name, pair in zip(_COMMON_NAMES, pairs, strict=True):
            content |= {f"{name}.crt": pair.certificate_pem, f"{name}.key": pair.key_pem}
        return content

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Self:
        """Read back :meth:`files`.

        :raises ValueError: if a file is missing, or a key does not belong to its
            certificate.
        """
        try:
            cluster, etcd, front_proxy = (
                CertificatePair(certificate_pem=files[f"{name}.crt"], key_pem=files[f"{name}.key"])
                for name in _COMMON_NAMES
            )
            account = KeyPair(public_pem=files["sa.pub"], private_pem=files["sa.key"])
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error
        check_key_pair(account)
        for pair in (cluster, etcd, front_proxy):
            _check_authority(pair)
        return cls(cluster=cluster, etcd=etcd, front_proxy=front_proxy, service_account=account)


def make_authorities(now: datetime) -> Authorities:
    """Create new authorities, valid for ten years."""
    cluster, etcd, front_proxy = (_authority(name, now) for name in _COMMON_NAMES.values())
    account = key_pair(new_key())
    return Authorities(cluster=cluster, etcd=etcd, front_proxy=front_proxy, service_account=account)


def ca_certificate_hash(ca_pem: str) -> str:
    """Return the digest of the CA's public key, as in kubeadm's ``caCertHashes``."""
    public = read_certificate(ca_pem).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def _authority(common_name: str, now: datetime) -> CertificatePair:
    key = new_key()
    public = key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    built = (
        new_certificate(name, name, public, now, _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return certificate_pair(built.sign(key, SHA256()), key)


def _check_authority(pair: CertificatePair) -> None:
    certificate = read_certificate(pair.certificate_pem)
    name = certificate.subject.rfc4514_string()
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound as error:
        raise ValueError(f"the certificate {name} is not that of an authority") from error
    if not constraints.value.ca:
        raise ValueError(f"the certificate {name} is not that of an authority")
    if read_private_key(pair.key_pem).public_key() != certificate.public_key():
        raise ValueError(f"the key does not belong to the certificate {name}")
