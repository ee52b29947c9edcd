"""A node image of files that are laid out as the projects' own, with the real programs.

It needs no virtual machine, but minutes, and the artefacts and the base system of the source `go`
in the cache of the user who runs the tests. It never ran against the internet.
"""

import os
import shutil
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.chosen import ChosenArtifacts
from bootstrap.adapters.artifacts.store import ArtifactSet
from bootstrap.adapters.artifacts.upstream.releases import releases_of
from bootstrap.adapters.directories import Directories, find_directories
from bootstrap.adapters.image.debian import DebianImages
from bootstrap.adapters.process import run
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from tests.fakes.events import FakeEvents
from tests.fakes.release_server import serving
from tests.fakes.upstream import FakeUpstream

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="a second image takes as long as the first; BOOTSTRAP_E2E=all makes it",
    ),
]


def fill(upstream: FakeUpstream, built: ArtifactSet) -> None:
    """Publish what was built here; the program that is several is published under each name."""
    programs = {name: path.read_bytes() for name, path in built.binaries.items()}
    containerd, cni = releases_of(DEFAULT_VERSION, "amd64")[-2:]
    for name in built.links:
        upstream.add_kubernetes(name, DEFAULT_VERSION, programs["kube"])
    for release, repository in (
        (containerd, "containerd/containerd"),
        (cni, "containernetworking/plugins"),
    ):
        files = {place: programs[name] for place, name in release.programs.items()}
        suffix = release.checksum
        upstream.add_archive(repository, release.version, release.name, suffix, files)
    upstream.add_images(built.image_archive, but=CHECK_IMAGE)


def listed(disk: Path, directory: str) -> set[str]:
    done = run(["debugfs", "-R", f"ls -p {directory}", disk], action="read a disk", timeout_s=60)
    names = {line.split("/")[5] for line in done.stdout.splitlines() if "/" in line}
    return names - {".", "..", "lost+found"}


def test_containerd_pulls_the_images_by_digest_and_nothing_of_the_host_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    mine = find_directories()
    built = ChosenArtifacts(mine, FakeEvents()).find(DEFAULT_VERSION, Source.GO)
    if built is None or not (mine.cache / "bases").is_dir():
        pytest.skip("no artefacts and no base system (bootstrap image build --source go)")
    own = Directories(
        state=tmp_path / "state", cache=tmp_path / "cache", volumes=tmp_path / "data" / "volumes"
    )
    own.cache.mkdir(mode=0o700)
    shutil.copytree(mine.cache / "bases", own.cache / "bases")
    with serving() as server:
        upstream = FakeUpstream(server)
        fill(upstream, built)
        for name, value in upstream.variables.items():
            monkeypatch.setenv(name, value)
        images = DebianImages(own, FakeEvents(), ChosenArtifacts(own, FakeEvents()))
        disk = images.ensure(DEFAULT_VERSION, Source.UPSTREAM).disk
        assert images.expected(DEFAULT_VERSION, Source.UPSTREAM) is not None
    assert listed(disk, "/usr/local/bin") == {
        *("kubeadm", "kubectl", "kubelet"),
        *("containerd", "containerd-shim-runc-v2", "ctr"),
    }
    assert len(listed(disk, "/opt/cni/bin")) == 5
    assert listed(disk, "/run") == set()
    marker = "cat /usr/local/lib/bootstrap/container-images"
    names = run(["debugfs", "-R", marker, disk], action="read a disk", timeout_s=60).stdout.split()
    assert set(names) == {CHECK_IMAGE, *(f"registry.k8s.io/{name}" for name in upstream.digests)}
