"""Read and write keys and certificates in PEM, of the one kind that we make."""

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePair:
    """A certificate and its private key, in PEM."""

    certificate_pem: str
    key_pem: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A public key and its private key, in PEM."""

    public_pem: str
    private_pem: str = field(repr=False)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate_pair(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> CertificatePair:
    """Write a certificate and its key."""
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return CertificatePair(certificate_pem=pem, key_pem=_private_pem(key))


def key_pair(key: ec.EllipticCurvePrivateKey) -> KeyPair:
    """Write a key and its public half."""
    return KeyPair(public_pem=_public_pem(key.public_key()), private_pem=_private_pem(key))


def read_certificate(pem: str) -> x509.Certificate:
    """Read a certificate.

    :raises ValueError: if it is none.
    """
    return x509.load_pem_x509_certificate(pem.encode())


def read_private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """Read a private key.

    :raises ValueError: if it is none, or of another kind than ours.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"a private key is not as we write it: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("a private key is of another kind than ours")  # noqa: TRY004 - bad content
    return key


def check_key_pair(pair: KeyPair) -> None:
    """Check that the two halves belong together.

    :raises ValueError: if not.
    """
    public = load_pem_public_key(pair.public_pem.encode())
    if public != read_private_key(pair.private_pem).public_key():
        raise ValueError("the public key does not belong to the private key")


def _public_pem(key: ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    # SEC1, "EC PRIVATE KEY": what kubeadm itself writes.
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return encoded.decode()
