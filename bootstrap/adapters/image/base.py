"""The base system: a Debian root tree as a tar archive, fetched once from the host's mirror."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.debian.packages import fetch_packages
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.image import recipe

_MAKING = ".making-"
_BASE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base system and the digest of its archive."""

    tar: Path
    digest: str


def find_base(directory: Path) -> Base | None:
    """Give the base system if it is there; asks no program."""
    tar = directory / f"{recipe.base_key()}.tar"
    try:
        noted = json.loads(_note(tar).read_text())
        is_whole = tar.stat().st_size == noted["size"]
        return Base(tar=tar, digest=str(noted["sha256"])) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_sound(base: Base) -> bool:
    """Tell whether the archive still holds, byte for byte, what was fetched; reads all of it."""
    return _digest(base.tar) == base.digest


def make_base(directory: Path, *, log: Path, line: Callable[[str], None]) -> Base:
    """Fetch the base system; the caller holds the lock of the images.

    :raises HostError: if the host has no mirror or lacks a program.
    """
    private_directory(directory)
    for leftover in base_leftovers(directory):
        shutil.rmtree(leftover)
    tar = directory / f"{recipe.base_key()}.tar"
    with tempfile.TemporaryDirectory(prefix=_MAKING, dir=directory) as work:
        made = Path(work, "base.tar")
        fetch_packages(
            made,
            suite=recipe.SUITE,
            packages=recipe.PACKAGES,
            options=[
                "--variant=minbase",
                *(f"--dpkgopt=path-exclude={path}" for path in recipe.EXCLUDED_PATHS),
            ],
            log=log,
            line=line,
        )
        digest, size = _digest(made), made.stat().st_size
        made.replace(tar)
    write_atomically(_note(tar), json.dumps({"sha256": digest, "size": size}))
    return Base(tar=tar, digest=digest)


def base_leftovers(directory: Path) -> Sequence[Path]:
    """Give what killed runs left, and what the holder of the images' lock works on."""
    return list(directory.glob(f"{_MAKING}*"))


def prune_bases(directory: Path) -> Sequence[str]:
    """Remove every base system but the one that images are made from; gives their names.

    The caller holds the lock of the images. No image and no node needs its base any more.
    """
    wanted, removed = recipe.base_key(), set()
    # The notes come first: a tar without one is not a base, whenever this is killed.
    for suffix in (".json", ".tar"):
        for file in directory.glob(f"*{suffix}"):
            if _BASE.fullmatch(file.stem) and file.stem != wanted:
                file.unlink()
                removed.add(f"base-{file.stem}")
    return sorted(removed)


def _note(tar: Path) -> Path:
    return tar.with_suffix(".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
