"""Read the one kubeconfig that the user got, and refuse what a cluster of ours never needs."""

import base64
import binascii
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bootstrap.adapters.kubernetes.documents import objects, text
from bootstrap.errors import VerifyError

# exec and auth-provider run programs, proxy-url and insecure-skip-tls-verify undo what is
# verified here, and file names point outside the file that is verified (V-06, SEC-31).
_CLUSTER_FIELDS = frozenset({"server", "certificate-authority-data", "tls-server-name"})
_USER_FIELDS = frozenset({"client-certificate-data", "client-key-data"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the API server is, how it is known, and who asks."""

    kubeconfig: Path
    server: str
    #: The name in the server's certificate, where it is not the one in ``server``.
    tls_server_name: str
    ca: str
    certificate: bytes
    #: Kept out of every representation.
    key: bytes

    def __repr__(self) -> str:
        return f"Access(server={self.server!r})"

    @property
    def hint(self) -> str:
        """A command that asks the same server with the same file."""
        return f"kubectl --kubeconfig {shlex.quote(str(self.kubeconfig))} get --raw /readyz"


def read_access(kubeconfig: Path) -> Access:
    """Read exactly this file; KUBECONFIG and the user's own files play no part.

    :raises VerifyError: if it cannot be read, or holds more than server, CA and client
        certificate.
    """
    try:
        document = yaml.safe_load(kubeconfig.read_text())
        problems = _foreign_fields(document)
        access = None if problems else _current(kubeconfig, document)
    except (OSError, UnicodeError, yaml.YAMLError, binascii.Error, ValueError) as error:
        raise _unusable(kubeconfig, f"{type(error).__name__}: {_first_line(error)}") from error
    if access is None:
        raise _unusable(kubeconfig, "fields that are not used: " + ", ".join(problems))
    return access


def _first_line(error: Exception) -> str:
    # YAML errors quote the lines around the problem, and here those lines are keys.
    return "not valid YAML" if isinstance(error, yaml.YAMLError) else str(error).splitlines()[0]


def _unusable(kubeconfig: Path, details: str) -> VerifyError:
    return VerifyError(
        f"Could not use the kubeconfig '{kubeconfig}'.",
        details=details,
        hint=f"kubectl --kubeconfig {shlex.quote(str(kubeconfig))} config view",
    )


def _foreign_fields(document: object) -> list[str]:
    return [
        f"{kind}.{field}"
        for kind, known in (("cluster", _CLUSTER_FIELDS), ("user", _USER_FIELDS))
        for entry in objects(document, f"{kind}s")
        for field in _fields(entry, kind)
        if field not in known
    ]


def _fields(entry: Mapping[str, Any], kind: str) -> list[str]:
    body = entry.get(kind)
    return [str(field) for field in body] if isinstance(body, Mapping) else []


def _current(kubeconfig: Path, document: object) -> Access:
    context = _named(document, "context", text(document, "current-context"))
    cluster = _named(document, "cluster", text(context, "cluster"))
    user = _named(document, "user", text(context, "user"))
    server = text(cluster, "server").rstrip("/")
    if not server.startswith("https://"):
        raise ValueError("the server is not an https URL")
    return Access(
        kubeconfig=kubeconfig,
        server=server,
        tls_server_name=text(cluster, "tls-server-name"),
        ca=_data(cluster, "certificate-authority-data").decode("ascii"),
        certificate=_data(user, "client-certificate-data"),
        key=_data(user, "client-key-data"),
    )


def _named(document: object, kind: str, name: str) -> object:
    for entry in objects(document, f"{kind}s"):
        if entry.get("name") == name:
            return entry.get(kind)
    raise ValueError(f"there is no {kind} '{name}'")


def _data(entry: object, field: str) -> bytes:
    data = base64.b64decode(text(entry, field), validate=True)
    if not data:
        raise ValueError(f"{field} is missing")
    return data
