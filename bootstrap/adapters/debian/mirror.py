"""Where this host gets Debian packages from, asked of its own apt."""

import re
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.process import run
from bootstrap.errors import HostError

#: Signs every Debian suite; Debian-like hosts have it from package debian-archive-keyring.
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_APT_TIMEOUT_S = 60
_NEEDS_APT = "sudo apt-get install apt debian-archive-keyring && sudo apt-get update"
_FIELDS = "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(CREATED_BY)"
#: How apt reaches a mirror: proxies, certificates, and leave to read a frozen mirror.
_TRANSPORT = re.compile(r"Acquire::(https?(::.+)?|Retries|Check-Valid-Until|Check-Date)\Z")
_SETTING = re.compile(r'(?P<name>[^ ]+) "(?P<value>.*)";\Z')


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianMirror:
    """The mirrors that this host's administrator chose."""

    uri: str
    #: None if the host reads no security archive.
    security_uri: str | None

    def sources(self, suite: str) -> str:
        """Write the ``sources.list`` of a suite, as :program:`mmdebstrap` reads it on stdin."""
        signed = f"[signed-by={DEBIAN_KEYRING}]"
        lines = [f"deb {signed} {self.uri} {name} main" for name in (suite, f"{suite}-updates")]
        if self.security_uri is not None:
            lines.append(f"deb {signed} {self.security_uri} {suite}-security main")
        return "\n".join(lines) + "\n"


def debian_mirror() -> DebianMirror:
    """Name the Debian mirror that this host's apt reads, whatever release the host runs.

    Reads what the last ``apt-get update`` fetched; makes no connection.

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
    """Copy how this host's apt reaches its mirrors, as the text of an apt configuration file.

    A proxy's address may hold a password: give the text to mmdebstrap as a private file
    (``--aptopt=FILE``), never as an argument, and keep it out of images.
    """
    dumped = run(
        ["apt-config", "dump"],
        action="read apt's settings",
        timeout_s=_APT_TIMEOUT_S,
        hint=_NEEDS_APT,
    )
    return parse_apt_settings(dumped.stdout)


def parse_apt_settings(text: str) -> str:
    """Keep the lines of ``apt-config dump`` that say how a mirror is reached."""
    settings = (_SETTING.match(line) for line in text.splitlines())
    return "".join(
        f'{found["name"]} "{found["value"]}";\n'
        for found in settings
        if found and found["value"] and _TRANSPORT.match(found["name"])
    )
