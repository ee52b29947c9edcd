"""Image names come from the archive itself."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from bootstrap.adapters.image.archive import image_names, pause_image
from bootstrap.errors import BootstrapError


def write_archive(path: Path, index: object) -> Path:
    data = json.dumps(index).encode()
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return path


def test_the_names_are_read_from_the_index(tmp_path: Path) -> None:
    manifests = [
        {"annotations": {"io.containerd.image.name": name}}
        for name in ("registry.example/pause:3.10.2", "registry.example/etcd:3.7.0-0")
    ]
    archive = write_archive(tmp_path / "images.tar", {"manifests": manifests})
    assert image_names(archive) == [
        "registry.example/etcd:3.7.0-0",
        "registry.example/pause:3.10.2",
    ]


@pytest.mark.parametrize("index", [{}, {"manifests": [{}]}, {"manifests": 3}, []])
def test_an_index_without_names_is_refused(tmp_path: Path, index: object) -> None:
    archive = write_archive(tmp_path / "images.tar", index)
    with pytest.raises(BootstrapError, match="not an OCI archive"):
        image_names(archive)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.tar"
    path.write_text("<html>")
    with pytest.raises(BootstrapError, match="not an OCI archive"):
        image_names(path)


def test_the_pause_image_is_found_by_its_repository() -> None:
    names = ["r.example/pause-not:1", "r.example/a/pause:3.10.2", "r.example/etcd:1"]
    assert pause_image(names) == "r.example/a/pause:3.10.2"


@pytest.mark.parametrize("names", [["r/etcd:1"], ["r/pause:1", "r/pause:2"]])
def test_none_or_two_pause_images_are_refused(names: list[str]) -> None:
    with pytest.raises(BootstrapError, match="pause images instead of one"):
        pause_image(names)
