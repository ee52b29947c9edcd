"""The Debian mirror of this host and the way to it, as its own apt knows them."""

from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.process import run
from bootstrap.errors import HostError

#: Signs every Debian suite; Debian-like hosts have it from package debian-archive-keyring.
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_APT_TIMEOUT_S = 60
_NEEDS_APT = "sudo apt-get install apt debian-archive-keyring && sudo apt-get update"
_FIELDS = "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(CREATED_BY)"
#: How apt reaches a mirror: proxies, certificates, and whether an old index is accepted.
_TRANSPORT = ("http", "https", "Retries", "Check-Valid-Until", "Check-Date")


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianMirror:
    """The mirrors that the administrator of this host chose."""

    uri: str
    #: None if the host reads no security archive.
    security_uri: str | None

    def sources(self, suite: str) -> str:
        """Return the ``sources.list`` of a suite, as :program:`mmdebstrap` reads it on stdin."""
        signed = f"[signed-by={DEBIAN_KEYRING}]"
        lines = [f"deb {signed} {self.uri} {name} main" for name in (suite, f"{suite}-updates")]
        if self.security_uri is not None:
            lines.append(f"deb {signed} {self.security_uri} {suite}-security main")
        return "\n".join(lines) + "\n"


def debian_mirror() -> DebianMirror:
    """Return the Debian mirror that this host's apt reads, whatever release the host runs.

    Reads what the last ``apt-get update`` fetched, without a connection.

    :raises HostError: if apt is missing or has fetched no Debian index.
    """
    listed = run(
        ["apt-get", "indextargets", "--format", _FIELDS],
        action="ask apt for this host's Debian mirror",
        timeout_s=_APT_TIMEOUT_S,
        hint=_NEEDS_APT,
    )
    return parse_index_targets(listed.stdout)


def parse_index_targets(text: str) -> DebianMirror:
    """Find the mirrors in what ``apt-get indextargets`` printed.

    :raises HostError: if it lists no Debian archive.
    """
    uris: dict[str, str] = {}
    for line in text.splitlines():
        uri, origin, label, kind = (*line.split("|"), "", "", "")[:4]
        if origin == "Debian" and kind == "Packages":
            uris.setdefault(label, uri)
    if "Debian" not in uris:
        raise HostError(
            "This host's apt knows no Debian mirror, so Debian packages cannot be fetched.",
            details=f"archives that it has read: {', '.join(sorted(uris)) or 'none'}",
            hint="sudo apt-get update",
        )
    return DebianMirror(uri=uris["Debian"], security_uri=uris.get("Debian-Security"))


def apt_settings() -> str:
    """Return how this host's apt reaches its mirrors, as the text of an apt configuration file.

    A proxy's address may hold a password: pass the text to mmdebstrap as a private file
    (``--aptopt=FILE``), never as an argument, and keep it out of images.
    """
    dumped = run(
        ["apt-config", "--no-empty", "dump", *(f"Acquire::{name}" for name in _TRANSPORT)],
        action="read apt's settings",
        timeout_s=_APT_TIMEOUT_S,
        hint=_NEEDS_APT,
    )
    return dumped.stdout
