"""Create and read the key that encrypts the Secrets of a strict cluster in etcd."""

import base64
import binascii

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

#: Bytes of a key of secretbox, the provider in the API server.
_LENGTH = 32


def make_encryption_key() -> str:
    """Return 32 random bytes in base64, for an EncryptionConfiguration."""
    return base64.b64encode(ChaCha20Poly1305.generate_key()).decode()


def read_encryption_key(text: str) -> str:
    """Return the key in the text of its file.

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
