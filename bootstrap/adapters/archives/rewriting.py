"""Write an archive anew without some of its names: containerd imports every name there is."""

import io
import json
import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from bootstrap.adapters.archives.reading import layout_name
from bootstrap.model.references import full_if_reference

Json = Any


def write_without(source: Path, target: io.BufferedIOBase, names: Collection[str]) -> None:
    """Copy an archive that was checked; images that have no other name stay as mere bytes."""
    edits = {"index.json": _edited_index, "manifest.json": _edited_manifest}
    with (
        tarfile.open(source, "r:") as old,
        tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            file = old.extractfile(member) if member.isreg() else None
            edit = edits.get(str(PurePosixPath(member.name)))
            if edit and file:
                text = json.dumps(edit(json.load(file), names)).encode()
                member.size, file = len(text), io.BytesIO(text)
            new.addfile(member, file)


def _edited_index(index: Json, names: Collection[str]) -> Json:
    kept = [one for one in index["manifests"] if layout_name(one.get("annotations")) not in names]
    return index | {"manifests": kept}


def _edited_manifest(manifest: Json, names: Collection[str]) -> Json:
    return [
        image
        | {
            "RepoTags": [
                tag for tag in image.get("RepoTags") or [] if full_if_reference(tag) not in names
            ]
        }
        for image in manifest
    ]
