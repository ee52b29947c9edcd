"""Make the base layer of kube-proxy's image: nft and its libraries, from Debian packages."""

import os
import secrets
import tempfile
from pathlib import Path

from bootstrap.adapters.artifacts.debian import apt_settings, debian_mirror
from bootstrap.adapters.artifacts.layers import Layer, copy_layer
from bootstrap.adapters.process import run

SUITE = "trixie"
_PACKAGE = "nftables"
_TIMEOUT_S = 900
#: Debian's packages put all files under usr; programs expect the old paths too.
_MERGED = {name: f"usr/{name}" for name in ("bin", "lib", "lib64", "sbin")}


def write_nft_layer(path: Path) -> Layer:
    """Write a layer that holds ``nft`` and what it needs to run, from the host's mirror.

    :raises HostError: if mmdebstrap is not installed or the host knows no Debian mirror.
    """
    extracted = path.with_suffix(".extracted")
    _extract(extracted)
    return copy_layer(path, extracted, is_part_of_layer, _MERGED)


def is_part_of_layer(name: str) -> bool:
    """Tell whether a file of the extracted packages goes into the layer."""
    # gconv converts between character sets, half of all bytes and of no use to nft.
    is_library = name.startswith(("usr/lib/", "usr/lib64/")) and "/gconv/" not in name
    return is_library or name == "usr/sbin/nft"


def _extract(target: Path) -> None:
    sources = debian_mirror().sources(SUITE)
    mode = "root" if os.getuid() == 0 else "unshare"
    # In unshare mode another uid reads the settings, so no 0700 directory may be above them.
    # They may name a proxy with its password: the file's own name is what nobody can list.
    with tempfile.TemporaryDirectory(prefix="bootstrap-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        settings = directory / secrets.token_hex(16)
        settings.write_text(apt_settings())
        settings.chmod(0o644)
        options = [f"--mode={mode}", "--format=tar", "--variant=extract", f"--include={_PACKAGE}"]
        run(
            ["mmdebstrap", "--quiet", *options, f"--aptopt={settings}", SUITE, target, "-"],
            action="fetch nft from the Debian mirror with mmdebstrap",
            timeout_s=_TIMEOUT_S,
            env=os.environ | ({"TMPDIR": str(target.parent)} if mode == "root" else {}),
            stdin=sources.encode(),
            hint="sudo apt-get install mmdebstrap uidmap && sudo apt-get update",
        )
