"""The base system: a Debian root tree as a tar archive, fetched once from the host's mirror."""

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.adapters.artifacts.debian import apt_settings, debian_mirror
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.image import namespace, recipe, tree
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError

_TIMEOUT_S = 1800
_MAKING = ".making-"
_BASE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base system and the digest of its archive."""

    tar: Path
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSpec:
    """What the worker fetches."""

    tar: str
    scratch: str
    sources: str
    apt_settings: str


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
        made, scratch = Path(work, "base.tar"), Path(work, "scratch")
        scratch.mkdir()
        spec = BaseSpec(
            tar=str(made),
            scratch=str(scratch),
            sources=debian_mirror().sources(recipe.SUITE),
            apt_settings=apt_settings(),
        )
        # The directory is private: a mirror's address may hold a password.
        write_atomically(Path(work, "spec.json"), json.dumps(asdict(spec)))
        namespace.run_worker(
            "bootstrap.adapters.image.base",
            Path(work, "spec.json"),
            action="fetch the node image's base system",
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


def fetch(spec: BaseSpec) -> None:
    """Run mmdebstrap in memory: what a kill leaves of it is nothing."""
    scratch = Path(spec.scratch)
    tree.mount_scratch(scratch)
    settings = scratch / "apt.conf"
    write_atomically(settings, spec.apt_settings + 'Acquire::Languages "none";\n')
    done = run(
        ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=tar"]
        + [f"--include={','.join(recipe.PACKAGES)}", f"--aptopt={settings}"]
        + [f"--dpkgopt=path-exclude={path}" for path in recipe.EXCLUDED_PATHS]
        # A user namespace may neither make devices nor mount a /sys of its own.
        + ["--skip=output/dev", "--skip=chroot/mount/sys", recipe.SUITE, spec.tar, "-"],
        action="fetch Debian packages",
        timeout_s=_TIMEOUT_S,
        stdin=spec.sources.encode(),
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": str(scratch)},
        hint="sudo apt-get install mmdebstrap debian-archive-keyring",
    )
    print(done.stderr, flush=True)  # noqa: T201 - the worker's output


def _note(tar: Path) -> Path:
    return tar.with_suffix(".json")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    """Fetch what the file named by the only argument says."""
    spec = BaseSpec(**json.loads(Path(arguments[0]).read_text()))
    try:
        fetch(spec)
    except BootstrapError as error:
        print(f"{error.message}\n{error.details}", flush=True)  # noqa: T201 - likewise
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
