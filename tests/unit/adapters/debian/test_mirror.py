"""The Debian mirror is the host's own, never one that is written down here."""

from pathlib import Path

import pytest

from bootstrap.adapters.debian.mirror import (
    DEBIAN_KEYRING,
    DebianMirror,
    apt_settings,
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
def test_a_host_without_a_debian_index_gets_the_command_to_update(text: str) -> None:
    with pytest.raises(HostError) as caught:
        parse_index_targets(text)
    assert caught.value.hint == "sudo apt-get update"


def test_sources_name_the_keyring_and_all_suites() -> None:
    """SEC-19."""
    lines = parse_index_targets(_LISTED).sources("trixie").splitlines()
    assert [line.split()[3] for line in lines] == ["trixie", "trixie-updates", "trixie-security"]
    assert all(f"[signed-by={DEBIAN_KEYRING}]" in line for line in lines)


@pytest.mark.runs_programs
def test_proxies_certificates_and_dates_are_kept_and_nothing_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = """\
Acquire::http::Proxy "http://user:secret@proxy.example:3128";
Acquire::http::Proxy::mirror.example "DIRECT";
Acquire::https::CaInfo "/etc/ssl/certs/own.pem";
Acquire::Check-Valid-Until "false";
"""
    others = 'Acquire::AllowInsecureRepositories "1";\nDPkg::Post-Invoke:: "rm -f /x";\n'
    (tmp_path / "apt.conf").write_text(others + kept)
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    settings = apt_settings().splitlines()
    assert set(kept.splitlines()) <= set(settings)
    transport = ("Acquire::http::", "Acquire::https::", "Acquire::Retries ", "Acquire::Check-")
    assert all(line.startswith(transport) for line in settings)
