"""Write small archives of container images, well or damaged, as tests need them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LAYER = b"the bytes of a layer, which nobody unpacks here" * 100
CONFIG = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write the members under their names, in their order."""
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


@dataclass
class Layout:
    """An OCI layout; change its members before they are written."""

    members: dict[str, bytes] = field(default_factory=dict)

    def blob(self, value: object) -> dict[str, Any]:
        """Add a blob and return its descriptor."""
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        digest = _digest(data)
        self.members[f"blobs/{digest.replace(':', '/')}"] = data
        return {"digest": digest, "size": len(data)}

    def image(self, config: Mapping[str, object] = CONFIG, layer: bytes = LAYER) -> dict[str, Any]:
        """Add an image and return the descriptor of its manifest."""
        return self.blob({"config": self.blob(config), "layers": [self.blob(layer)]})

    def index(self, *entries: Mapping[str, object]) -> "Layout":
        """Write the index; without it, and the layout's version, there is none."""
        self.members["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
        self.members["index.json"] = json.dumps({"manifests": entries}).encode()
        return self


def named(descriptor: Mapping[str, object], name: str, key: str = "") -> dict[str, object]:
    """Give a descriptor the name that containerd reads."""
    return {**descriptor, "annotations": {key or "io.containerd.image.name": name}}


def layout_of(*names: str, content: str = "") -> Layout:
    """Return an OCI layout of one image under some names; other content is another image."""
    layout = Layout()
    image = layout.image({**CONFIG, "created": content})
    return layout.index(*(named(image, name) for name in names))


def docker_members(tags: Sequence[str] | None, config: object = CONFIG) -> dict[str, bytes]:
    """Return what `docker save` of before version 25 writes."""
    text = json.dumps(config).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    entry = {"Config": name, "RepoTags": tags, "Layers": ["abc/layer.tar"]}
    manifest = json.dumps([entry]).encode()
    return {name: text, "abc/layer.tar": LAYER, "manifest.json": manifest}
