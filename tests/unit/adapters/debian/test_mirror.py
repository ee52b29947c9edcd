"""The Debian mirror is the host's own, never one that is written down here."""

import pytest

from bootstrap.adapters.debian.mirror import (
    DEBIAN_KEYRING,
    DebianMirror,
    parse_apt_settings,
    parse_index_targets,
)
from bootstrap.errors import HostError

_LISTED = """\
http://tools.example/apt/|Tools Inc|Debian|Packages
http://mirror.example/debian/|Debian|Debian|DEP-11
http://mirror.example/debian/|Debian|Debian|Packages
http://other.example/debian/|Debian|Debian|Packages
http://mirror.example/security/|Debian|Debian-Security|Packages
http://backports.example/debian/|Debian Backports|Debian Backports|Packages
"""


def test_the_first_archive_of_debian_is_the_mirror() -> None:
    assert parse_index_targets(_LISTED) == DebianMirror(
        uri="http://mirror.example/debian/", security_uri="http://mirror.example/security/"
    )


def test_a_host_may_read_no_security_archive() -> None:
    mirror = parse_index_targets("http://mirror.example/debian/|Debian|Debian|Packages\n")
    assert mirror.security_uri is None
    assert "security" not in mirror.sources("trixie")


@pytest.mark.parametrize("text", ["", "http://x.example/|Ubuntu|Ubuntu|Packages\n", "odd\n"])
def test_a_host_that_has_read_no_debian_archive_is_told_to_update(text: str) -> None:
    with pytest.raises(HostError) as caught:
        parse_index_targets(text)
    assert caught.value.hint == "sudo apt-get update"


def test_sources_name_the_keyring_and_all_suites() -> None:
    """SEC-19."""
    lines = parse_index_targets(_LISTED).sources("trixie").splitlines()
    assert [line.split()[3] for line in lines] == ["trixie", "trixie-updates", "trixie-security"]
    assert all(f"[signed-by={DEBIAN_KEYRING}]" in line for line in lines)


def test_proxies_certificates_and_dates_are_kept_and_nothing_else_is() -> None:
    dumped = """\
APT::Architecture "amd64";
Acquire "";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::http::Proxy::mirror.example "DIRECT";
Acquire::https::CaInfo "/etc/ssl/certs/own.pem";
Acquire::Check-Valid-Until "false";
Acquire::AllowInsecureRepositories "1";
DPkg::Post-Invoke:: "rm -f /x";
"""
    assert parse_apt_settings(dumped).splitlines() == [
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::http::Proxy::mirror.example "DIRECT";',
        'Acquire::https::CaInfo "/etc/ssl/certs/own.pem";',
        'Acquire::Check-Valid-Until "false";',
    ]
