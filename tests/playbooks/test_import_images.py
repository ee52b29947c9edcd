"""The script that imports container images, with the real containerd in namespaces of its own."""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from bootstrap.adapters.debian import namespace
from bootstrap.errors import HostError
from bootstrap.resources import resource_directory

SCRIPT = resource_directory("playbooks") / "roles/container_images/files/import-images"
# What containerd keeps below /var/lib goes to memory, and away with the namespace.
IN_MEMORY = 'mount -t tmpfs none /var/lib && mkdir /var/lib/containerd && exec sh "$0" "$@"'


@pytest.fixture(scope="module")
def artifacts() -> Path:
    """Where this user's artefacts are: containerd, ctr and the archive of all images."""
    kubectl = os.environ.get("BOOTSTRAP_KUBECTL")
    if kubectl is None:
        pytest.skip("no artefacts are built (bootstrap artifacts build)")
    try:
        namespace.check(uid=os.getuid())
    except HostError as error:
        pytest.skip(f"{error.message} {error.details}")
    return Path(kubectl).resolve().parent


@pytest.fixture(scope="module")
def names(artifacts: Path) -> list[str]:
    with tarfile.open(artifacts / "images.tar") as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        manifests = json.load(index)["manifests"]
    return [one["annotations"]["io.containerd.image.name"] for one in manifests]


def import_images(artifacts: Path, marker: Path, *names: str) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = [SCRIPT, artifacts / "images.tar", marker, *names]
    argv = namespace.argv(["/bin/sh", "-c", IN_MEMORY, *command], uid=os.getuid())
    path = f"{artifacts}:{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = {"PATH": path, "TMPDIR": str(marker.parent)}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def test_all_images_are_unpacked_and_nothing_is_left_packed(
    artifacts: Path, names: list[str], tmp_path: Path
) -> None:
    """The packed layers go as soon as nothing refers to them; once that was taken for a failure."""
    assert len(names) > 5
    done = import_images(artifacts, tmp_path / "marker", *names)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "marker").read_text().split() == names
    assert [path.name for path in tmp_path.iterdir()] == ["marker"]


def test_an_image_that_is_not_in_the_archive_is_named(
    artifacts: Path, names: list[str], tmp_path: Path
) -> None:
    done = import_images(artifacts, tmp_path / "marker", *names, "example.org/missing:v1")
    assert done.returncode == 1
    assert done.stderr.endswith("missing or not unpacked: example.org/missing:v1\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_archive_is_reported(artifacts: Path, tmp_path: Path) -> None:
    (tmp_path / "images.tar").write_bytes(b"no archive" * 1000)
    (tmp_path / "out").mkdir()
    for program in ("containerd", "ctr"):
        (tmp_path / program).symlink_to(artifacts / program)
    done = import_images(tmp_path, tmp_path / "out" / "marker", "example.org/missing:v1")
    assert done.returncode == 1
    assert "tar" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
