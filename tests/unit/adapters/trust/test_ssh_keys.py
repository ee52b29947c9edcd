import io
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bootstrap.adapters.trust.ssh_keys import SshKeyPair, make_ssh_key_pair
from bootstrap.planning.inventory import known_hosts


def test_a_key_is_one_that_paramiko_reads() -> None:
    made = make_ssh_key_pair()
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(made.private_text))
    assert made.public_line == f"ssh-ed25519 {key.get_base64()} bootstrap"


def test_the_public_line_follows_from_the_private_key() -> None:
    made = make_ssh_key_pair()
    assert SshKeyPair.from_private(made.private_text) == made


def test_the_private_key_is_not_shown_when_a_pair_is_printed() -> None:
    """H-16."""
    assert "PRIVATE" not in repr(make_ssh_key_pair())


@pytest.mark.parametrize("text", ["", "no key", make_ssh_key_pair().private_text[:200]])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SshKeyPair.from_private(text)


def test_a_key_of_another_kind_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    with pytest.raises(ValueError, match="not an ed25519 key"):
        SshKeyPair.from_private(text)


def test_known_hosts_pins_each_key_under_its_alias(tmp_path: Path) -> None:
    pairs = {"control-plane": make_ssh_key_pair(), "worker": make_ssh_key_pair()}
    path = tmp_path / "known_hosts"
    path.write_text(known_hosts({alias: pair.public_line for alias, pair in pairs.items()}))
    read = paramiko.HostKeys(str(path))
    for alias, pair in pairs.items():
        key = paramiko.Ed25519Key.from_private_key(io.StringIO(pair.private_text))
        assert read.check(alias, key)
        assert not read.check("127.0.0.1", key)


@pytest.mark.parametrize(
    "alias", ["", "*", "a b", "a,b", "!a", "|1|x", "a\nb", "#a", "-a", "@cert-authority"]
)
def test_an_alias_that_known_hosts_would_read_otherwise_is_refused(alias: str) -> None:
    """H-06, H-08."""
    with pytest.raises(ValueError, match="not a node's name"):
        known_hosts({alias: make_ssh_key_pair().public_line})
