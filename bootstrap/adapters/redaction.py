"""Remove secrets from texts that leave this host: those of the cluster, and what looks like one."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

REMOVED = "(removed)"
#: Of a key in base64; shorter ones may be anything.
_LONG_LINE = 40
#: The first line of every OpenSSH key, which says nothing but what it is.
_NO_SECRET = "b3BlbnNzaC1rZXktdjEA"  # noqa: S105 - it is none
_PATTERNS = (
    # Up to its end, or as far as it goes; a line's end may be written as \n.
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]|\\[nr])*(?:-----END [A-Z ]+-----)?"
    ),
    # A PEM file in base64, as in a kubeconfig.
    re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{40,}"),
    # The token of a service account.
    re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"),
    # A join token.
    re.compile(r"(?<![\w.])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.])"),
)
#: What follows a word that announces a secret.
_ANNOUNCED = re.compile(
    r"(?i)(authorization: *(?:bearer|basic) +"
    r"|(?:passw(?:or)?d|api[_-]?key|token)\"?(?:=|: *)\"?)"
    r"[^\s\"',;&]{8,}"
)


def known_secrets(directory: Path) -> frozenset[str]:
    """Return what betrays the keys in a cluster's state directory, whole lines of each."""
    files = (file for place in ("pki", "ssh") for file in sorted((directory / place).glob("*")))
    return frozenset(secret for file in files for secret in _lines(file))


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with each secret replaced by ``(removed)``."""
    for secret in known:
        text = text.replace(secret, REMOVED)
    for pattern in _PATTERNS:
        text = pattern.sub(REMOVED, text)
    return _ANNOUNCED.sub(rf"\1{REMOVED}", text)


def _lines(file: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return
    if "PRIVATE KEY" not in text and file.name != "encryption-key":
        return
    for line in text.replace("\\n", "\n").split():
        if len(line) >= _LONG_LINE and not line.startswith(_NO_SECRET):
            yield line
