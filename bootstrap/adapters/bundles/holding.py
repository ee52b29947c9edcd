"""Whether the caches of this user have a part of a bundle already."""

from collections.abc import Mapping
from pathlib import Path

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.files import sha256_of
from bootstrap.adapters.image.debian import image_store
from bootstrap.adapters.image.store import NOTE
from bootstrap.adapters.manifested import MANIFEST
from bootstrap.model.bundle import Bundle, Part
from bootstrap.model.snapshot import SavedFile

#: They also say when something was made, and are written when a part is taken.
_NOTES = (MANIFEST, NOTE)


def holds(directories: Directories, bundle: Bundle, part: Part) -> bool:
    """Tell whether a part is here, byte for byte.

    Of an image it is enough that it is what was once built: its key says what it is made from, and
    disks may lie over it.
    """
    key = bundle.keys[part]
    match part:
        case Part.IMAGE:
            entry = image_store(directories).find(key)
            return entry is not None and not entry.is_condemned and entry.is_sound()
        case Part.BASE:
            return _has(directories.cache / "bases" / key, bundle.of_part(part))
        case Part.ARTIFACTS:
            return _has(directories.cache / "artifacts" / key, bundle.of_part(part))


def _has(directory: Path, files: Mapping[str, SavedFile]) -> bool:
    try:
        return all(
            (directory / name).is_file()
            and (name in _NOTES or sha256_of(directory / name) == file.sha256)
            for name, file in files.items()
        )
    except OSError:
        return False
