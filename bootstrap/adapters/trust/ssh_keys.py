"""Make SSH keys in OpenSSH's own format, and the known_hosts that pins them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

_COMMENT = "bootstrap"
#: A node's name or UUID; no pattern, list or hash that known_hosts would give a meaning.
_ALIAS = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKeyPair:
    """An ed25519 key: the private file's text and the public line, without a newline."""

    public_line: str
    private_text: str = field(repr=False)

    @classmethod
    def from_private(cls, text: str) -> Self:
        """Read a private key; its public line follows from it.

        :raises ValueError: if it is not an unencrypted ed25519 key.
        """
        try:
            key = load_ssh_private_key(text.encode(), password=None)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(f"the key is not as we write it: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the key is not an ed25519 key")  # noqa: TRY004 - bad content
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return cls(public_line=f"{line} {_COMMENT}", private_text=text)


def make_ssh_key_pair() -> SshKeyPair:
    """Make a new key without a passphrase."""
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return SshKeyPair.from_private(text)


def known_hosts(keys: Mapping[str, SshKeyPair]) -> str:
    """Give a known_hosts file that pins each host key under its ``HostKeyAlias``.

    :raises ValueError: if an alias has characters that known_hosts gives a meaning.
    """
    lines = []
    for alias, pair in keys.items():
        check_alias(alias)
        kind, key, _comment = pair.public_line.split()
        lines.append(f"{alias} {kind} {key}\n")
    return "".join(lines)


def check_alias(alias: str) -> None:
    """Refuse a name that is not a node's name or UUID.

    :raises ValueError: for any other text.
    """
    if not _ALIAS.fullmatch(alias):
        raise ValueError(f"{alias[:60]!r} is not a node's name or UUID")
