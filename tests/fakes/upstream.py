"""The projects' servers, as far as a node's programs and images come from them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.release_server import ReleaseServer


@dataclass
class FakeUpstream:
    """Lays files out as dl.k8s.io, GitHub and registry.k8s.io do, each below a prefix."""

    server: ReleaseServer
    arch: str = "amd64"
    #: The digests of images by their names without a registry.
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, str]:
        """Return the environment that leads to it."""
        names = ("DL_K8S_IO", "GITHUB_COM", "REGISTRY_K8S_IO")
        return {f"BOOTSTRAP_{name}": f"{self.server.url}/{name.lower()}" for name in names}

    def add_kubernetes(self, program: str, version: str, content: bytes) -> str:
        """Add a program of Kubernetes; returns its path."""
        path = f"/dl_k8s_io/release/{version}/bin/linux/{self.arch}/{program}"
        self.server.files[path] = content
        # As they are published: without a name, and without an end of the line.
        self.server.files[f"{path}.sha256"] = _sha256(content).encode()
        return path

    def add_archive(
        self, repository: str, version: str, name: str, suffix: str, files: Mapping[str, bytes]
    ) -> str:
        """Add an archive of a project on GitHub; returns its path."""
        path = f"/github_com/{repository}/releases/download/{version}/{name}"
        content = _archive(files)
        self.server.files[path] = content
        self.server.files[path + suffix] = f"{_sha256(content)}  {name}\n".encode()
        return path

    def add_images(self, archive: Path, *, but: str = "") -> None:
        """Add the images of an OCI archive, but for the one named ``but``."""
        with tarfile.open(archive) as tar:
            blobs = {
                member.name.rpartition("/")[2]: _read(tar, member)
                for member in tar
                if member.name.startswith("blobs/") and member.isreg()
            }
            index = json.loads(_read(tar, tar.getmember("index.json")))
        for entry in index["manifests"]:
            name = entry["annotations"]["io.containerd.image.name"]
            if name != but:
                self.add_image(name.partition("/")[2], entry["digest"].partition(":")[2], blobs)

    def add_image(self, name: str, sha256: str, blobs: Mapping[str, bytes]) -> None:
        """Add an image for several architectures, by tag and by digest, and what it names."""
        repository, _, tag = name.rpartition(":")
        top = f"/v2/registry_k8s_io/{repository}"
        manifest = json.loads(blobs[sha256])
        self._add_manifest(top, f"sha256:{sha256}", blobs[sha256])
        index = self._index(blobs[sha256])
        for label in (tag, f"sha256:{_sha256(index)}"):
            self._add_manifest(top, label, index)
        for part in (manifest["config"], *manifest["layers"]):
            digest = part["digest"].partition(":")[2]
            self.server.files[f"{top}/blobs/sha256:{digest}"] = blobs[digest]
        self.digests[name] = _sha256(index)

    def add_manifest(self, name: str) -> None:
        """Add an image of which only the manifest is asked for."""
        repository, _, tag = name.rpartition(":")
        index = self._index(json.dumps({"mediaType": "x", "name": name}).encode())
        self._add_manifest(f"/v2/registry_k8s_io/{repository}", tag, index)
        self.digests[name] = _sha256(index)

    def _add_manifest(self, top: str, label: str, text: bytes) -> None:
        self.server.files[f"{top}/manifests/{label}"] = text
        self.server.types[f"{top}/manifests/{label}"] = json.loads(text)["mediaType"]

    def _index(self, manifest: bytes) -> bytes:
        """Name the image of this architecture beside one of another, which is not there."""
        kind = json.loads(manifest)["mediaType"]
        entries = [
            {
                "mediaType": kind,
                "digest": f"sha256:{digest}",
                "size": len(manifest),
                "platform": {"architecture": arch, "os": "linux"},
            }
            for arch, digest in (("s390x", "0" * 64), (self.arch, _sha256(manifest)))
        ]
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": entries,
        }
        return json.dumps(index).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()
