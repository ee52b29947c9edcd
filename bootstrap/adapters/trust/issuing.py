"""Begin certificates: the fields that those of authorities and of the user have in common."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

#: The clock of a node may be behind that of this host.
_CLOCK_SKEW = timedelta(days=1)


def new_certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    valid_from: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """Return a builder of a certificate that is valid from a day before ``valid_from``."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from - _CLOCK_SKEW)
        .not_valid_after(valid_from + lifetime)
    )


def key_usage(*, is_authority: bool) -> x509.KeyUsage:
    """Return the same usage of the key as kubeadm."""
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=is_authority,
        key_cert_sign=is_authority,
        crl_sign=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
