"""One file of a snapshot and the node images below it, to be taken to another host.

It is an ordinary tar archive: the files of the snapshot, then those of each image in a directory
that is named as its key. What it holds is checked by the SHA-256 in the manifest and in the
images' notes.
"""

import os
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap.adapters.files import replacing
from bootstrap.adapters.process import run
from bootstrap.errors import StateError
from bootstrap.model.snapshot import Snapshot

MANIFEST = "manifest.json"
IMAGE_FILES = ("note.json", "disk.raw", "vmlinuz", "initrd.img")
_TIMEOUT_S = 3600
#: A manifest has a few KiB.
_LONGEST_MANIFEST = 1 << 20
_BLOCK = 1 << 20


def write_archive(
    snapshot: Snapshot, directory: Path, images: Sequence[Path], target: Path
) -> None:
    """Write the archive; a kill leaves it whole or absent.

    :raises BootstrapError: if it cannot be written, as on a full disk.
    """
    files: list[str | Path] = ["--directory", directory, MANIFEST, *sorted(snapshot.files)]
    for image in images:
        files += ["--directory", image.parent, *_image_files(image.name)]
    with replacing(target) as temporary:
        run(
            ["tar", "--create", "--sparse", "--format=gnu", "--file", temporary, *files],
            action=f"write '{target}'",
            timeout_s=_TIMEOUT_S,
            hint="df -h",
        )


def read_manifest(source: Path) -> bytes:
    """Return the manifest of an archive, which is the first of its files.

    :raises StateError: if it is no archive of a snapshot.
    """
    with _opened(source) as archive:
        first = archive.next()
        if first is None or first.name != MANIFEST or first.size > _LONGEST_MANIFEST:
            raise _no_archive(source, "It does not begin with a manifest.")
        file = archive.extractfile(first)
        return file.read() if file else b""


def extract(source: Path, snapshot: Snapshot, directory: Path) -> Sequence[Path]:
    """Write the files of an archive into an empty directory; return those of the images in it.

    Nothing but the files that the manifest names is written, each once.

    :raises StateError: if a file is missing, or another one is there.
    """
    images = [directory / key for key in snapshot.images]
    wanted = {MANIFEST, *snapshot.files}
    for image in images:
        wanted |= set(_image_files(image.name))
        image.mkdir(mode=0o700)
    with _opened(source) as archive:
        for member in archive:
            if member.name not in wanted or not member.isreg():
                raise _no_archive(source, f"It holds '{member.name[:60]}'.")
            wanted.remove(member.name)
            _write(archive, member, directory / member.name)
    if wanted:
        raise _no_archive(source, f"It lacks {', '.join(sorted(wanted))}.")
    return images


def _image_files(key: str) -> Sequence[str]:
    return [f"{key}/{name}" for name in IMAGE_FILES]


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write one file, with holes where it has only zeros."""
    source = archive.extractfile(member)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while source and (block := source.read(_BLOCK)):
            if block.strip(b"\0"):
                file.write(block)
            else:
                file.seek(len(block), os.SEEK_CUR)
        file.truncate()


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source) as archive:
            yield archive
    except (tarfile.TarError, EOFError) as error:
        raise _no_archive(source, str(error)) from error


def _no_archive(source: Path, why: str) -> StateError:
    return StateError(
        f"File '{source}' is not a whole snapshot.",
        details=why,
        hint="bootstrap snapshot list",
    )
