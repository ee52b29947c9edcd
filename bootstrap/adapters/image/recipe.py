"""The parts of a node image, and the keys of base system and image."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import bootstrap
from bootstrap.model.layout import LAYOUT
from bootstrap.resources import resource_directory

SUITE = "trixie"
#: What Debian builds its packages for.
NEEDED_X86_64_LEVEL = 1

#: kube-proxy and the CNI plugins use nftables, so there is no iptables.
PACKAGES = (
    "ca-certificates",
    "chrony",
    "cloud-init",
    "conntrack",
    "crun",
    "dbus",
    "e2fsprogs",
    "ethtool",
    "initramfs-tools",
    "iproute2",
    "iputils-ping",
    "kmod",
    "linux-image-cloud-amd64",
    "netbase",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "socat",
    "sudo",
    "systemd",
    "systemd-resolved",
    "systemd-sysv",
    "udev",
    "zstd",
)

#: Options of mmdebstrap. No node needs documentation or translations.
BASE_OPTIONS = (
    "--variant=minbase",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)

#: The code that decides what is on the disk; a change of it makes another image.
_BAKING_MODULES = (
    "bake.py",
    "disk.py",
    "network.py",
    "recipe.py",
    "tree.py",
    "../ansible/playbook.py",
)


def base_key() -> str:
    """Return the key of the base system: of its packages, whichever mirror they come from."""
    return _digest([json.dumps([SUITE, PACKAGES, BASE_OPTIONS]).encode()])[:32]


def image_key(base_digest: str, artefact_digest: str) -> str:
    """Return the key of an image: of everything that goes into it."""
    playbooks = resource_directory("playbooks")
    roles = _roles(playbooks / "node-image.yml")
    sources = [
        playbooks / "node-image.yml",
        *_files(playbooks / "connection_plugins"),
        *(file for role in roles for file in _files(playbooks / "roles" / role)),
        *(Path(__file__).parent / name for name in _BAKING_MODULES),
    ]
    parts = [base_digest.encode(), artefact_digest.encode(), bootstrap.__version__.encode()]
    parts.append(f"layout {LAYOUT}".encode())
    for source in sources:
        parts += [source.name.encode(), source.read_bytes()]
    return _digest(parts)


def source_key(artefact_key: str) -> str:
    """Return the key of what an image is made from, before any of it is built."""
    return image_key(base_key(), artefact_key)[:32]


def _roles(playbook: Path) -> list[str]:
    """List the roles of the image's playbook; other roles are the cluster's."""
    lines = (line.strip() for line in playbook.read_text().splitlines())
    return [line.removeprefix("- role: ") for line in lines if line.startswith("- role: ")]


def _files(directory: Path) -> list[Path]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in found if path.suffix != ".pyc")


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        # The length keeps two lists with the same joined bytes apart.
        whole.update(f"{len(part)}:".encode() + part)
    return whole.hexdigest()
