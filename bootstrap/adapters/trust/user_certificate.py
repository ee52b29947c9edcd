"""Create the client certificate in the user's kubeconfig."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrap.adapters.trust.issuing import key_usage, new_certificate
from bootstrap.adapters.trust.pem import (
    certificate_pair,
    new_key,
    read_certificate,
    read_private_key,
)
from bootstrap.model.keys import CertificatePair
from bootstrap.model.kubeconfig import USER_GROUP, user_common_name
from bootstrap.model.names import ClusterName

_LIFETIME = timedelta(days=365)
_RENEWAL = timedelta(days=30)


def make_user_certificate(
    cluster: ClusterName, authority: CertificatePair, now: datetime
) -> CertificatePair:
    """Return a new client certificate for an administrator, valid for a year."""
    key, issuer = new_key(), read_certificate(authority.certificate_pem)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    authority_identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        identifier
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    built = (
        new_certificate(_name(cluster), issuer.subject, key.public_key(), now, _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(is_authority=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(authority_identifier, critical=False)
    )
    return certificate_pair(built.sign(read_private_key(authority.key_pem), SHA256()), key)


def is_usable_user_certificate(
    pair: CertificatePair, cluster: ClusterName, authority: CertificatePair, now: datetime
) -> bool:
    """Return whether subject, issuer and key are right and it is valid for another month."""
    try:
        certificate = read_certificate(pair.certificate_pem)
        certificate.verify_directly_issued_by(read_certificate(authority.certificate_pem))
        fits = read_private_key(pair.key_pem).public_key() == certificate.public_key()
    except (ValueError, TypeError, InvalidSignature):
        return False
    lasts = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - _RENEWAL
    return fits and lasts and certificate.subject == _name(cluster)


def _name(cluster: ClusterName) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, USER_GROUP),
            x509.NameAttribute(NameOID.COMMON_NAME, user_common_name(cluster)),
        ]
    )
