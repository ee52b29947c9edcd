"""Write container images as one OCI image archive; the same input gives the same bytes."""

import hashlib
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.artifacts.layers import Layer, add_file

_MEDIA = "application/vnd.oci.image"
_SEARCH_PATH = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BLOBS = "blobs/sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A container image: its full name, and its layers from the lowest to the highest."""

    name: str
    layers: tuple[Layer, ...]
    entrypoint: tuple[str, ...] = ()
    #: ``uid:gid``; empty for root.
    user: str = ""


def write_archive(path: Path, images: Sequence[Image], *, architecture: str) -> None:
    """Write the images and each blob once into one tar for ``ctr images import``."""
    texts: dict[str, bytes] = {}
    manifests = [_put_manifest(image, architecture, texts) for image in images]
    layers = {layer.sha256: layer.path for image in images for layer in image.layers}
    index = {"schemaVersion": 2, "mediaType": f"{_MEDIA}.index.v1+json", "manifests": manifests}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        add_file(tar, "oci-layout", _dump({"imageLayoutVersion": "1.0.0"}))
        add_file(tar, "index.json", _dump(index))
        blobs: list[tuple[str, bytes | Path]] = [*sorted(texts.items()), *sorted(layers.items())]
        for digest, content in blobs:
            add_file(tar, f"{_BLOBS}/{digest}", content)


def _put_manifest(image: Image, architecture: str, texts: dict[str, bytes]) -> dict[str, object]:
    """Add the configuration and manifest to ``texts``; return the entry for the index."""
    layers = [_descriptor("layer.v1.tar", layer.sha256, layer.size_bytes) for layer in image.layers]
    settings: dict[str, object] = {"Env": [_SEARCH_PATH]}
    if image.entrypoint:
        settings["Entrypoint"] = list(image.entrypoint)
    if image.user:
        settings["User"] = image.user
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "config": _put(texts, "config.v1+json", config),
        "layers": layers,
    }
    return _put(texts, "manifest.v1+json", manifest) | {
        "platform": {"architecture": architecture, "os": "linux"},
        "annotations": {
            "io.containerd.image.name": image.name,
            "org.opencontainers.image.ref.name": image.name,
        },
    }


def _put(texts: dict[str, bytes], kind: str, value: object) -> dict[str, object]:
    text = _dump(value)
    digest = hashlib.sha256(text).hexdigest()
    texts[digest] = text
    return _descriptor(kind, digest, len(text))


def _descriptor(kind: str, sha256: str, size_bytes: int) -> dict[str, object]:
    return {"mediaType": f"{_MEDIA}.{kind}", "digest": f"sha256:{sha256}", "size": size_bytes}


def _dump(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
