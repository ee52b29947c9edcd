"""The archive is an OCI image layout: every descriptor leads to the bytes that it names."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bootstrap.adapters.artifacts.layers import Layer, write_layer
from bootstrap.adapters.artifacts.oci import Image, write_archive

_KUBE = "registry.example/kube-proxy:v1"
_PAUSE = "registry.example/pause:3"


@pytest.fixture
def images(tmp_path: Path) -> list[Image]:
    def layer(name: str) -> Layer:
        source = tmp_path / name
        source.write_text(name)
        return write_layer(tmp_path / f"{name}.tar", {name: source}, {})

    base, kube, node = layer("base"), layer("kube"), layer("node")
    return [
        Image(name=_KUBE, layers=(base, kube)),
        Image(name="registry.example/kube-apiserver:v1", layers=(kube,)),
        Image(name=_PAUSE, layers=(node,), entrypoint=("/pause",), user="65535:65535"),
    ]


@pytest.fixture
def archive(tmp_path: Path, images: list[Image]) -> dict[str, bytes]:
    path = tmp_path / "images.tar"
    write_archive(path, images, architecture="amd64")
    with tarfile.open(path) as tar:
        files = {name: tar.extractfile(name) for name in tar.getnames()}
        return {name: file.read() for name, file in files.items() if file is not None}


def _read(archive: dict[str, bytes], descriptor: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return json.loads(archive["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")])


def _manifest(archive: dict[str, bytes], name: str) -> Any:  # noqa: ANN401 - JSON
    index = json.loads(archive["index.json"])
    return next(
        _read(archive, entry)
        for entry in index["manifests"]
        if entry["annotations"]["io.containerd.image.name"] == name
    )


def test_the_same_images_give_the_same_bytes(tmp_path: Path, images: list[Image]) -> None:
    for name in ("a.tar", "b.tar"):
        write_archive(tmp_path / name, images, architecture="amd64")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_the_layout_comes_first(archive: dict[str, bytes]) -> None:
    assert list(archive)[:2] == ["oci-layout", "index.json"]
    assert json.loads(archive["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}


def test_every_blob_has_its_digest_for_a_name(archive: dict[str, bytes]) -> None:
    blobs = {name: data for name, data in archive.items() if name.startswith("blobs/")}
    # Three layers, three manifests, three configurations.
    assert len(blobs) == 9
    for name, data in blobs.items():
        assert name == "blobs/sha256/" + hashlib.sha256(data).hexdigest()


def test_every_descriptor_has_the_size_of_its_blob(archive: dict[str, bytes]) -> None:
    entries = json.loads(archive["index.json"])["manifests"]
    manifests = [_read(archive, entry) for entry in entries]
    below = [part for one in manifests for part in [one["config"], *one["layers"]]]
    for descriptor in [*entries, *below]:
        blob = archive["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
        assert descriptor["size"] == len(blob)


def test_images_carry_their_full_names_for_containerd(archive: dict[str, bytes]) -> None:
    for entry in json.loads(archive["index.json"])["manifests"]:
        names = entry["annotations"]
        assert names["io.containerd.image.name"] == names["org.opencontainers.image.ref.name"]
    assert _manifest(archive, _KUBE)


def test_the_unpacked_digests_are_the_layers_in_their_order(archive: dict[str, bytes]) -> None:
    manifest = _manifest(archive, _KUBE)
    config = _read(archive, manifest["config"])
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    assert len(manifest["layers"]) == 2
    assert (config["architecture"], config["os"]) == ("amd64", "linux")


def test_entrypoint_and_user_are_set_only_where_the_image_has_them(
    archive: dict[str, bytes],
) -> None:
    pause = _read(archive, _manifest(archive, _PAUSE)["config"])["config"]
    kube = _read(archive, _manifest(archive, _KUBE)["config"])["config"]
    assert (pause["Entrypoint"], pause["User"]) == (["/pause"], "65535:65535")
    assert not {"Entrypoint", "User"} & kube.keys()
    assert kube["Env"] == ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
