"""Check every file of a bundle, and write those of some parts."""

import hashlib
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from bootstrap.adapters.bundles.contents import KIND
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.manifested import MANIFEST, read_files, save_file
from bootstrap.model.bundle import Bundle, Part
from bootstrap.model.events import Unit
from bootstrap.ports import Events


def unpack(source: Path, bundle: Bundle, places: Mapping[Part, Path], events: Events) -> None:
    """Write the files of the parts into the directories ``places``, which are made.

    :raises StateError: if any file of the bundle is not what its manifest says.
    """
    targets = {
        f"{part}/{bundle.keys[part]}/{name}": place / name
        for part, place in places.items()
        for name in bundle.of_part(part)
    }
    for place in places.values():
        private_directory(place.parent)
        private_directory(place)
    done = 0

    def take(member: tarfile.TarInfo, content: IO[bytes]) -> None:
        nonlocal done
        if member.name == MANIFEST:
            return
        digest, target = hashlib.sha256(), targets.get(member.name)
        save_file(content, target, also=digest.update)
        if digest.hexdigest() != bundle.files[member.name].sha256:
            raise KIND.refusal(source, f"Its '{member.name}' fails its SHA-256.")
        if target and member.mode & stat.S_IXUSR:
            target.chmod(0o700)
        done += member.size
        events.progress("Checking the bundle", done, bundle.size_bytes, Unit.BYTES)

    sizes = {name: file.size_bytes for name, file in bundle.files.items()}
    read_files(source, {MANIFEST: None, **sizes}, KIND, take)
