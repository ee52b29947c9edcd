"""Make SSH keys in OpenSSH's own format."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SshKeyPair:
    """An ed25519 key: the text of its file, and its public line without a newline."""

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
            raise ValueError(f"the key cannot be read: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the key is not an ed25519 key")  # noqa: TRY004 - bad content
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        return cls(public_line=f"{line} {_COMMENT}", private_text=text)


def make_ssh_key_pair() -> SshKeyPair:
    """Return a new key without a passphrase."""
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return SshKeyPair.from_private(text)
