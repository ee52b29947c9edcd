from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrap.adapters.trust.authority import make_authorities
from bootstrap.adapters.trust.user_certificate import (
    is_usable_user_certificate,
    make_user_certificate,
)
from bootstrap.model.keys import CertificatePair
from bootstrap.model.names import ClusterName

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DEMO = ClusterName("demo")
AUTHORITY = make_authorities(NOW).cluster
GOOD = make_user_certificate(DEMO, AUTHORITY, NOW)


def test_it_names_the_user_and_the_group_that_can_be_revoked() -> None:
    """K-09, SEC-30."""
    made = x509.load_pem_x509_certificate(GOOD.certificate_pem.encode())
    names = {
        kind: made.subject.get_attributes_for_oid(kind)
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    }
    assert [[attribute.value for attribute in found] for found in names.values()] == [
        ["bootstrap-demo-user"],
        ["kubeadm:cluster-admins"],
    ]
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_new_one_is_good() -> None:
    assert is_usable_user_certificate(GOOD, DEMO, AUTHORITY, NOW)


@pytest.mark.parametrize(
    ("days", "is_good"), [(334, True), (335, False), (400, False), (-2, False)]
)
def test_it_is_good_until_a_month_before_its_end(days: int, *, is_good: bool) -> None:
    """G-22, D-04."""
    then = NOW + timedelta(days=days)
    assert is_usable_user_certificate(GOOD, DEMO, AUTHORITY, then) is is_good


def test_one_of_another_authority_is_not_good() -> None:
    other = make_authorities(NOW).cluster
    assert not is_usable_user_certificate(GOOD, DEMO, other, NOW)


def test_one_of_another_cluster_is_not_good() -> None:
    assert not is_usable_user_certificate(GOOD, ClusterName("other"), AUTHORITY, NOW)


@pytest.mark.parametrize("key", [AUTHORITY.key_pem, "", GOOD.certificate_pem])
def test_one_with_another_key_is_not_good(key: str) -> None:
    pair = CertificatePair(certificate_pem=GOOD.certificate_pem, key_pem=key)
    assert not is_usable_user_certificate(pair, DEMO, AUTHORITY, NOW)
