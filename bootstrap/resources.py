"""Find the templates, playbooks and Go modules, in a wheel or in a checkout."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
#: The only list of what a Debian host needs; setup.sh reads it too.
DEBIAN_PACKAGES = _PACKAGE / "debian-packages.txt"


def resource_directory(kind: str) -> Path:
    """Name the directory that holds ``kind``: ``templates``, ``playbooks`` or ``artifacts``.

    A wheel carries them inside the package; an editable install has them beside it.
    """
    packaged = _PACKAGE / "_data" / kind
    return packaged if packaged.is_dir() else _PACKAGE.parent / kind


def debian_packages(use: str) -> Sequence[str]:
    """Name the Debian packages that a host needs to ``run`` clusters, or besides to ``build``."""
    lines = (line.split() for line in DEBIAN_PACKAGES.read_text().splitlines())
    return [words[1] for words in lines if words[:1] == [use]]


def tool_digest() -> str:
    """Return a digest of this program: its code, templates and playbooks."""
    digest = hashlib.sha256()
    for root in (Path(__file__).parent, *map(resource_directory, ("templates", "playbooks"))):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
