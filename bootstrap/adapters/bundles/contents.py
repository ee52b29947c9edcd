"""Which files a bundle has, and what its manifest may say."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import TypeAdapter

from bootstrap.adapters.artifacts.store import Store
from bootstrap.adapters.image.store import BASE_FILES, IMAGE_FILES
from bootstrap.adapters.manifested import MANIFEST, ArchiveKind, read_manifest
from bootstrap.errors import StateError
from bootstrap.model.bundle import BUNDLE_LAYOUT, PACKAGES, README, WHEELS, Bundle, Materials, Part
from bootstrap.model.cluster import NodeImage
from bootstrap.model.images import is_image_key

KIND = ArchiveKind(name="bundle", hint="bootstrap bundle create kubernetes.bundle")
BUNDLE = TypeAdapter(Bundle)
#: The name of a file that leads nowhere else.
_NAME = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._+]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def directories_of(image: NodeImage, materials: Materials) -> Mapping[Part, Path]:
    """Return the directory of each part, which is named as its key."""
    return {
        Part.ARTIFACTS: materials.artifacts,
        Part.BASE: materials.base,
        Part.IMAGE: image.disk.parent,
    }


def files_of(parts: Mapping[Part, Path]) -> Mapping[str, Path]:
    """Return the files of all parts, by their names in a bundle."""
    names = {
        Part.ARTIFACTS: (MANIFEST, *Store(parts[Part.ARTIFACTS]).artifacts()),
        Part.BASE: BASE_FILES,
        Part.IMAGE: IMAGE_FILES,
    }
    return {
        f"{part}/{directory.name}/{name}": directory / name
        for part, directory in parts.items()
        for name in names[part]
    }


def read_bundle(source: Path) -> Bundle:
    """Return what the manifest of a bundle says.

    :raises StateError: if it is no bundle, one of another layout, or has hostile names.
    """
    try:
        text = read_manifest(source, KIND)
        plain = json.loads(text)
        layout = plain["layout"] if isinstance(plain, dict) else None
        if isinstance(layout, int) and layout != BUNDLE_LAYOUT and "tool_version" in plain:
            raise _other_layout(source, layout)
        found = BUNDLE.validate_json(text, strict=True)
        _check(found)
    except (ValueError, KeyError, RecursionError) as error:  # pydantic's own error is one
        first = str(error).partition("\n")[0]
        raise KIND.refusal(source, f"Its manifest is wrong: {first}.") from error
    return found


def _other_layout(source: Path, layout: int) -> StateError:
    return StateError(
        f"Bundle '{source}' was written by another version of this tool.",
        details=f"Its layout is {layout}, and this version has {BUNDLE_LAYOUT}.",
        hint="bootstrap version",
    )


def _check(bundle: Bundle) -> None:
    if fault := next(_faults(bundle), ""):
        raise ValueError(fault)


def _faults(bundle: Bundle) -> Iterator[str]:
    """Say what is wrong with a manifest, which may come from anybody."""
    if set(bundle.keys) != set(Part) or not all(map(is_image_key, bundle.keys.values())):
        yield "it does not have the keys of its parts"
        return
    fixed = {Part.BASE: set(BASE_FILES), Part.IMAGE: set(IMAGE_FILES)}
    for part, names in fixed.items():
        if set(bundle.of_part(part)) != names:
            yield f"its {part} have other files than {', '.join(sorted(names))}"
    if not {README, PACKAGES} <= set(bundle.files) or MANIFEST not in bundle.of_part(
        Part.ARTIFACTS
    ):
        yield "it lacks a file that every bundle has"
    directories = {f"{part}/{key}" for part, key in bundle.keys.items()} | {WHEELS}
    for name, file in bundle.files.items():
        directory, _, last = name.rpartition("/")
        is_known = directory in directories or name in (README, PACKAGES)
        if not is_known or not _NAME.fullmatch(last):
            yield f"it names {name[:60]!r}"
        if file.size_bytes < 0 or not _SHA256.fullmatch(file.sha256):
            yield f"it has no size or no SHA-256 of {name[:60]!r}"
