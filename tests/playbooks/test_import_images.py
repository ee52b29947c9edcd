"""The script that imports container images, with the real containerd in namespaces of its own."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.images import write_images
from bootstrap.adapters.debian import namespace
from bootstrap.errors import HostError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.resources import resource_directory
from tests.fakes.release_server import serving
from tests.fakes.upstream import FakeUpstream
from tests.faults.downloads.toxics import body, ending, flipped, status

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


def import_images(
    artifacts: Path, marker: Path, *names: str, pulls: Path = Path("/nonexistent")
) -> "subprocess.CompletedProcess[str]":
    archive = marker.parent / "images.tar"
    if not archive.exists():
        archive = artifacts / "images.tar"
    command: list[str | Path] = [SCRIPT, archive, pulls, marker, *names]
    argv = namespace.argv(["/bin/sh", "-c", IN_MEMORY, *command], uid=os.getuid())
    path = f"{artifacts}:{os.environ['PATH']}:/usr/sbin:/sbin"
    environment = {"PATH": path, "TMPDIR": str(marker.parent)}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def test_all_images_are_unpacked_and_nothing_is_left_packed(
    artifacts: Path, names: list[str], short_directory: Path
) -> None:
    """The packed layers go as soon as nothing refers to them; once that was taken for a failure."""
    assert len(names) > 5
    done = import_images(artifacts, short_directory / "marker", *names)
    assert done.returncode == 0, done.stderr
    assert (short_directory / "marker").read_text().split() == names
    assert [path.name for path in short_directory.iterdir()] == ["marker"]


def test_an_image_that_is_not_in_the_archive_is_named(
    artifacts: Path, names: list[str], short_directory: Path
) -> None:
    done = import_images(artifacts, short_directory / "marker", *names, "example.org/missing:v1")
    assert done.returncode == 1
    assert done.stderr.endswith("missing or not unpacked: example.org/missing:v1\n")
    assert list(short_directory.iterdir()) == []


def test_a_file_that_is_no_archive_is_reported(artifacts: Path, short_directory: Path) -> None:
    (short_directory / "images.tar").write_bytes(b"no archive" * 1000)
    (short_directory / "out").mkdir()
    for program in ("containerd", "ctr"):
        (short_directory / program).symlink_to(artifacts / program)
    done = import_images(
        short_directory, short_directory / "out" / "marker", "example.org/missing:v1"
    )
    assert done.returncode == 1
    assert "tar" in done.stderr
    assert list((short_directory / "out").iterdir()) == []


@pytest.fixture(scope="module")
def registry(artifacts: Path) -> Iterator[FakeUpstream]:
    """Serve all images but the one that is made on the host."""
    with serving() as server:
        upstream = FakeUpstream(server)
        upstream.add_images(artifacts / "images.tar", but=CHECK_IMAGE)
        yield upstream


def put_check_image(artifacts: Path, directory: Path) -> None:
    """Write the archive of the one image that is made on the host, and of nothing else."""
    binaries = {"node": artifacts / "node"}
    write_images(directory / "images.tar", [CHECK_IMAGE], binaries, None, architecture="amd64")
    (directory / "node.tar").unlink()


def put_pulls(registry: FakeUpstream, directory: Path, *names: str) -> Path:
    """Write the list of images to pull by their digests; returns it."""
    base = registry.variables["BOOTSTRAP_REGISTRY_K8S_IO"]
    lines = [
        f"registry.k8s.io/{name} {base}/{name.rpartition(':')[0]}@sha256:{registry.digests[name]}\n"
        for name in names
    ]
    pulls = directory / "pulls"
    pulls.write_text("".join(lines))
    return pulls


def test_images_are_pulled_by_digest_beside_those_of_the_archive(
    artifacts: Path, registry: FakeUpstream, short_directory: Path
) -> None:
    """Each is one for several architectures, of which only this host's is there."""
    put_check_image(artifacts, short_directory)
    pulls = put_pulls(registry, short_directory, *registry.digests)
    names = [CHECK_IMAGE, *(f"registry.k8s.io/{name}" for name in registry.digests)]
    done = import_images(artifacts, short_directory / "marker", *names, pulls=pulls)
    assert done.returncode == 0, done.stderr
    assert (short_directory / "marker").read_text().split() == names
    asked = {request.path for request in registry.server.requests}
    assert not any(":v1.37" in path for path in asked)
    assert len(registry.digests) > 5


_SICK = {
    "503 once": ([status(503)], None, 0),
    "reset once": ([ending("reset", 0)], None, 0),
    "cut off once": ([ending("close")], None, 0),
    "404": ([], status(404), 1),
    "another byte": ([], body(flipped(30), keep_length=True), 1),
}


@pytest.mark.parametrize("fault", _SICK)
def test_a_registry_that_is_sick_gives_the_image_or_an_error(
    artifacts: Path, registry: FakeUpstream, short_directory: Path, fault: str
) -> None:
    put_check_image(artifacts, short_directory)
    (pause,) = (name for name in registry.digests if name.startswith("pause:"))
    pulls = put_pulls(registry, short_directory, pause)
    registry.server.faults, registry.server.always, expected = _SICK[fault]
    try:
        name = f"registry.k8s.io/{pause}"
        done = import_images(artifacts, short_directory / "marker", name, pulls=pulls)
    finally:
        registry.server.always = None
    assert done.returncode == expected, done.stderr
    assert (short_directory / "marker").exists() == (expected == 0)
    assert (f"could not pull {name} from http://" in done.stderr) == (expected != 0)
