"""One file of a snapshot and the node images below it, to be taken to another host.

It is an archive with a manifest: the files of the snapshot, then those of each image in a directory
that is named as its key. What it holds is checked by the SHA-256 in the manifest and in the
images' notes.
"""

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from bootstrap.adapters import manifested
from bootstrap.adapters.image.store import IMAGE_FILES
from bootstrap.adapters.manifested import MANIFEST, ArchiveKind, read_files, save_file
from bootstrap.model.snapshot import Snapshot

_KIND = ArchiveKind(name="snapshot", hint="bootstrap snapshot list")


def write_archive(
    snapshot: Snapshot, directory: Path, images: Sequence[Path], target: Path
) -> None:
    """Write the archive; a kill leaves it whole or absent.

    :raises BootstrapError: if it cannot be written, as on a full disk.
    """
    own = (directory, [MANIFEST, *sorted(snapshot.files)])
    below = [(image.parent, _image_files(image.name)) for image in images]
    manifested.write_archive(target, [own, *below])


def read_manifest(source: Path) -> bytes:
    """Return the manifest of an archive, which is the first of its files.

    :raises StateError: if it is no archive of a snapshot.
    """
    return manifested.read_manifest(source, _KIND)


def extract(source: Path, snapshot: Snapshot, directory: Path) -> Sequence[Path]:
    """Write the files of an archive into an empty directory; return those of the images in it.

    Nothing but the files that the manifest names is written, each once.

    :raises StateError: if a file is missing, or another one is there.
    """
    images = [directory / key for key in snapshot.images]
    wanted: dict[str, int | None] = {MANIFEST: None}
    wanted |= {name: file.size_bytes for name, file in snapshot.files.items()}
    for image in images:
        wanted |= dict.fromkeys(_image_files(image.name))
        image.mkdir(mode=0o700)

    def take(member: tarfile.TarInfo, content: IO[bytes]) -> None:
        save_file(content, directory / member.name)

    read_files(source, wanted, _KIND, take)
    return images


def _image_files(key: str) -> Sequence[str]:
    return [f"{key}/{name}" for name in IMAGE_FILES]
