"""Container images that the user loads into the nodes of a cluster."""

import re
from dataclasses import dataclass
from pathlib import Path

_ARCHIVE_FILE = re.compile(r"[0-9a-f]{64}\.tar")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LoadableImage:
    """A container image of an archive."""

    #: In full, as the kubelet looks for it.
    name: str
    #: SHA-256 of its configuration, ``sha256:...``, by which the kubelet knows it.
    config: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundArchive:
    """A file on this host that was checked to be an archive of images for our nodes."""

    path: Path
    images: tuple[LoadableImage, ...]


def is_archive_file(name: str) -> bool:
    """Tell whether a kept archive's file can be called so: by its own SHA-256."""
    return _ARCHIVE_FILE.fullmatch(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArchive:
    """An archive of a cluster, where the hypervisor can read it; an uncompressed tar."""

    path: Path
    size_bytes: int
    images: tuple[LoadableImage, ...]
