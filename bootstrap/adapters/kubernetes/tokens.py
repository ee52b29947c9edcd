"""Describe join tokens as the API server wants them."""

import re
from datetime import datetime, timedelta

from bootstrap.adapters.kubernetes.documents import Document
from bootstrap.errors import BootstrapError

PATH = "/api/v1/namespaces/kube-system/secrets"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")


def join_token_secret(token: str, *, expires: datetime) -> Document:
    """Describe the Secret of a join token.

    :raises BootstrapError: if it is not a join token; the text itself is not shown.
    """
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise BootstrapError(
            "Could not use a join token that is not 6 of a-z and 0-9, a dot, and 16 more.",
            hint="kubeadm token generate",
        )
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": f"bootstrap-token-{parts[1]}", "namespace": "kube-system"},
        "stringData": {
            "token-id": parts[1],
            "token-secret": parts[2],
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true",
            "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        },
    }


def secret_path(token: str) -> str:
    """Give the path of a join token's Secret; only its public half is in the name."""
    return f"{PATH}/bootstrap-token-{token.partition('.')[0]}"


def expiry(now: datetime, lifetime_s: int) -> datetime:
    """Give the moment from which the token is refused."""
    return now + timedelta(seconds=lifetime_s)
