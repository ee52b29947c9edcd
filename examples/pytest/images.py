"""Write an OCI archive of an image with one program, as a build of the application would."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

_MEDIA = "application/vnd.oci.image"


def write_image(archive: Path, name: str, program: Path) -> Path:
    """Write an archive of image ``name``, which runs ``program``, a static one, and return it.

    The program is called ``check``, since it does what its name says.
    """
    layer = _tar({"check": program.read_bytes()}, mode=0o755)
    blobs: dict[str, bytes] = {}
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Entrypoint": ["/check"], "User": "65534:65534"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "config": _blob(blobs, "config.v1+json", json.dumps(config).encode()),
        "layers": [_blob(blobs, "layer.v1.tar", layer)],
    }
    entry = _blob(blobs, "manifest.v1+json", json.dumps(manifest).encode())
    named = entry | {"annotations": {"io.containerd.image.name": name}}
    index = {"schemaVersion": 2, "manifests": [named]}
    files = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(index).encode(),
    }
    archive.write_bytes(_tar(files | blobs, mode=0o644))
    return archive


def _blob(blobs: dict[str, bytes], kind: str, data: bytes) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    blobs[f"blobs/sha256/{digest}"] = data
    return {"mediaType": f"{_MEDIA}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            tar.addfile(member, io.BytesIO(data))
    return written.getvalue()
