"""Read the kubeconfig that the user gets, and refuse what a cluster of ours never needs."""

import base64
import os
import shlex
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bootstrap.errors import VerifyError

# exec and auth-provider run programs, proxy-url and insecure-skip-tls-verify undo what is
# verified here, and file names point outside the file that is verified (V-06, SEC-31).
_FIELDS = {
    "cluster": ("server", "certificate-authority-data"),
    "user": ("client-certificate-data", "client-key-data"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the API server is, the authority it must show, and the user's certificate."""

    kubeconfig: Path
    server: str
    ca: str = field(repr=False)
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)
    #: Trusts ``ca`` alone and shows the client certificate.
    tls: ssl.SSLContext = field(repr=False, compare=False)

    @property
    def hint(self) -> str:
        """A command that asks the same server with the same file."""
        return f"kubectl --kubeconfig {shlex.quote(str(self.kubeconfig))} get --raw /readyz"


def read_access(kubeconfig: Path) -> Access:
    """Read this file alone; KUBECONFIG and the user's own files play no part.

    :raises VerifyError: if it cannot be read, is damaged, or holds more than one server with
        its CA and one user with a client certificate.
    """
    try:
        document = yaml.safe_load(kubeconfig.read_text())
        return _access(kubeconfig, _only(document, "cluster"), _only(document, "user"))
    except yaml.YAMLError as error:
        # YAML errors quote the lines around the problem, and here those lines are keys.
        raise _unusable(kubeconfig, "not valid YAML") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(kubeconfig, str(error)) from error


def _unusable(kubeconfig: Path, details: str) -> VerifyError:
    return VerifyError(
        f"Could not use the kubeconfig '{kubeconfig}'.",
        details=details,
        hint=f"kubectl --kubeconfig {shlex.quote(str(kubeconfig))} config view",
    )


def _only(document: Any, kind: str) -> dict[str, str]:  # noqa: ANN401 - YAML may hold anything
    try:
        (entry,) = document[f"{kind}s"]
        fields = dict(entry[kind])
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"there is not exactly one {kind}") from error
    unknown = [f"{kind}.{name}" for name in fields if name not in _FIELDS[kind]]
    if unknown:
        raise ValueError("fields that are not used: " + ", ".join(unknown))
    for name in _FIELDS[kind]:
        # Without a CA, OpenSSL would trust every public one.
        if not fields.get(name) or not isinstance(fields[name], str):
            raise ValueError(f"{name} is missing")
    return fields


def _access(kubeconfig: Path, cluster: dict[str, str], user: dict[str, str]) -> Access:
    server = cluster["server"].rstrip("/")
    url = urlsplit(server)
    if url.scheme != "https" or not url.hostname or not url.port:
        raise ValueError("the server is not an https URL with a port")
    ca = base64.b64decode(cluster["certificate-authority-data"], validate=True).decode("ascii")
    certificate, key = (
        base64.b64decode(user[f"client-{name}-data"], validate=True)
        for name in ("certificate", "key")
    )
    return Access(
        kubeconfig=kubeconfig,
        server=server,
        ca=ca,
        certificate=certificate,
        key=key,
        tls=_tls(ca, certificate + b"\n" + key),
    )


def _tls(ca: str, identity: bytes) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=ca)
        # OpenSSL reads a client certificate from a file only. This one has no name on any
        # disk, so a killed process leaves no key behind.
        with os.fdopen(os.memfd_create("bootstrap-client", os.MFD_CLOEXEC), "wb") as file:
            file.write(identity)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    except ssl.SSLError as error:
        raise ValueError(f"a damaged certificate or key: {error.reason or error}") from error
    return context
