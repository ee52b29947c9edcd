"""Make the base layer of kube-proxy's image: nft and its libraries, from Debian packages."""

from pathlib import Path

from bootstrap.adapters.artifacts.layers import Layer, copy_layer
from bootstrap.adapters.debian.apt_output import Report
from bootstrap.adapters.debian.packages import fetch_packages

SUITE = "trixie"
_PACKAGE = "nftables"
#: Debian's packages put all files under usr; programs expect the old paths too.
_MERGED = {name: f"usr/{name}" for name in ("bin", "lib", "lib64", "sbin")}


def write_nft_layer(path: Path, *, log: Path, report: Report) -> Layer:
    """Write a layer of ``nft`` and its libraries, from the Debian mirror of the host.

    :raises HostError: if mmdebstrap is not installed or the host knows no Debian mirror.
    """
    extracted = path.with_suffix(".extracted")
    fetch_packages(
        extracted,
        suite=SUITE,
        packages=[_PACKAGE],
        # Unpacked only: no program of it runs here.
        options=["--variant=extract"],
        log=log,
        report=report,
    )
    return copy_layer(path, extracted, is_part_of_layer, _MERGED)


def is_part_of_layer(name: str) -> bool:
    """Return whether the layer contains a file of the extracted packages."""
    # nft does not use gconv, the converters of character sets, which are half of all bytes.
    is_library = name.startswith(("usr/lib/", "usr/lib64/")) and "/gconv/" not in name
    return is_library or name == "usr/sbin/nft"
