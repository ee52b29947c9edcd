"""Make and read the key that a strict cluster's Secrets are encrypted with in etcd."""

import base64
import binascii

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

#: What the API server's secretbox takes.
_LENGTH = 32


def make_encryption_key() -> str:
    """Make 32 random bytes, in base64 as an EncryptionConfiguration wants them."""
    return base64.b64encode(ChaCha20Poly1305.generate_key()).decode()


def read_encryption_key(text: str) -> str:
    """Take a key as it was kept.

    :raises ValueError: if it is not 32 bytes in base64.
    """
    key = text.strip()
    try:
        length = len(base64.b64decode(key, validate=True))
    except binascii.Error as error:
        raise ValueError(f"the key is not base64: {error}") from error
    if length != _LENGTH:
        raise ValueError(f"the key has {length} bytes, not {_LENGTH}")
    return key
