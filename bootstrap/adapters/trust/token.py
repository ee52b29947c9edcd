"""Create bootstrap tokens."""

import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits
_ID_LENGTH = 6
_SECRET_LENGTH = 16


def make_bootstrap_token() -> str:
    """Return a token in the format of kubeadm: six characters, a dot, sixteen characters."""
    return f"{_random(_ID_LENGTH)}.{_random(_SECRET_LENGTH)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
