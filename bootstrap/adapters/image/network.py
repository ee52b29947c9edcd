"""Bring into a tree how this host reaches a registry: names, authorities and proxies.

All of it lies below the tree's /run, which is emptied when the image is done.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.request import getproxies

from bootstrap.adapters.downloads.connections import authorities
from bootstrap.adapters.files import write_atomically

#: Where the base system's /etc/resolv.conf leads to.
_RESOLVER = "run/systemd/resolve/stub-resolv.conf"
_PLACE = "run/bootstrap"
_BUNDLE = "ca.crt"
_HOST_RESOLVER = Path("/etc/resolv.conf")


def of_this_host() -> Mapping[str, str]:
    """Return the files to bring by their paths in the tree; a proxy may have a password."""
    bundle = authorities()
    proxies = getproxies()
    settings = {
        name: proxies[scheme]
        for name, scheme in (
            ("HTTP_PROXY", "http"),
            ("HTTPS_PROXY", "https"),
            ("NO_PROXY", "no"),
        )
        if scheme in proxies
    }
    files = {}
    if _HOST_RESOLVER.exists():
        files[_RESOLVER] = _HOST_RESOLVER.read_text()
    if bundle is not None:
        files[f"{_PLACE}/{_BUNDLE}"] = bundle.read_text()
        settings["SSL_CERT_FILE"] = f"/{_PLACE}/{_BUNDLE}"
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
    return files | {f"{_PLACE}/environment": "".join(lines)}


def bring(files: Mapping[str, str], root: Path) -> None:
    """Write the files into the tree."""
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, text, mode=0o600)
