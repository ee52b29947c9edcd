"""Read and write P-256 keys and certificates in PEM."""

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

from bootstrap.model.keys import CertificatePair


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A public key and its private key, in PEM."""

    public_pem: str
    private_pem: str = field(repr=False)


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def certificate_pair(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> CertificatePair:
    """Encode a certificate and its key."""
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return CertificatePair(certificate_pem=pem, key_pem=_private_pem(key))


def key_pair(key: ec.EllipticCurvePrivateKey) -> KeyPair:
    """Encode a key and its public key."""
    return KeyPair(public_pem=_public_pem(key.public_key()), private_pem=_private_pem(key))


def read_certificate(pem: str) -> x509.Certificate:
    """Read a certificate.

    :raises ValueError: if the text is no certificate.
    """
    return x509.load_pem_x509_certificate(pem.encode())


def read_private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """Read a private key.

    :raises ValueError: if the text is no P-256 key.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"a private key cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("a private key is not an elliptic curve key")  # noqa: TRY004 - bad content
    return key


def check_key_pair(pair: KeyPair) -> None:
    """Check that the public key belongs to the private key.

    :raises ValueError: if it does not.
    """
    public = load_pem_public_key(pair.public_pem.encode())
    if public != read_private_key(pair.private_pem).public_key():
        raise ValueError("the public key does not belong to the private key")


def _public_pem(key: ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    # SEC1, "EC PRIVATE KEY", as kubeadm writes it.
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return encoded.decode()
