"""An image that is there is given at once."""

import io
import json
import os
import shutil
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.store import ArtifactSet
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.image import debian, recipe
from bootstrap.adapters.image.debian import DebianImages, image_store
from bootstrap.adapters.image.parts import Parts, role_variables
from bootstrap.adapters.image.store import Store
from bootstrap.errors import HostError, UsageError
from bootstrap.model.sources import Source
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.events import FakeEvents

NOW = "2030-01-01T00:00:00+00:00"
PROGRAMS = ("kube", "containerd", "containerd-shim-runc-v2", "ctr", "etcd", "coredns")
PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")


@pytest.fixture
def artifacts(tmp_path: Path) -> FakeArtifacts:
    archive = tmp_path / "images.tar"
    names = ("r.example/pause:3.10.2", "r.example/etcd:3.7.0-0")
    manifests = [{"annotations": {"io.containerd.image.name": name}} for name in names]
    data = json.dumps({"manifests": manifests}).encode()
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return FakeArtifacts(archive, (*PROGRAMS, *PLUGINS))


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(
        state=tmp_path / "state", cache=tmp_path / "cache", volumes=tmp_path / "data" / "volumes"
    )


@pytest.fixture
def without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host where no program can be found."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


def put_base(directories: Directories, key: str = "") -> str:
    """Write a base system, and return the digest of its archive."""
    store = Store(directory=directories.cache / "bases", files=("base.tar",))
    store.prepare()
    entry = store.add(
        key or recipe.base_key(),
        version=recipe.SUITE,
        fetched=NOW,
        make=lambda work: (work / "base.tar").touch(),
    )
    return entry.sha256["base.tar"]


def _bake(work: Path) -> None:
    for name in ("disk.raw", "vmlinuz", "initrd.img"):
        (work / name).write_text(name)


def put_image(directories: Directories, key: str) -> None:
    store = image_store(directories)
    store.prepare()
    store.add(key, version="v1.37.2", fetched=NOW, make=_bake)


@pytest.mark.usefixtures("without_programs")
def test_an_image_that_is_there_needs_no_program_and_no_lock(
    artifacts: FakeArtifacts, directories: Directories
) -> None:
    key = recipe.image_key(put_base(directories), "first")
    put_image(directories, key)
    image = DebianImages(directories, FakeEvents(), artifacts).ensure("v1.37.2")
    assert image.key == key
    assert artifacts.asked == ["v1.37.2"]
    assert not directories.state.exists()


def test_an_image_is_as_old_as_the_oldest_packages_in_it(
    artifacts: FakeArtifacts, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of its base system, or those of kube-proxy's image."""
    monkeypatch.setattr(DebianImages, "_bake", lambda *words: _bake(words[-1]))
    artifacts.built = replace(artifacts.built, packages_fetched="2029-01-01T00:00:00+00:00")
    put_base(directories)
    image = DebianImages(directories, FakeEvents(), artifacts).ensure("v1.37.2")
    assert image.packages_fetched == "2029-01-01T00:00:00+00:00"


@pytest.mark.usefixtures("without_programs")
@pytest.mark.parametrize("has_base", [True, False])
def test_a_host_without_the_tools_gets_an_error_with_the_command_to_install_them(
    artifacts: FakeArtifacts, directories: Directories, *, has_base: bool
) -> None:
    if has_base:
        put_base(directories)
    with pytest.raises(HostError) as caught:
        DebianImages(directories, FakeEvents(), artifacts).ensure("v1.37.2")
    assert "sudo apt-get install" in caught.value.hint
    assert list(directories.images.iterdir()) == []


class SlowArtifacts(FakeArtifacts):
    """They are built once the base system is being fetched."""

    meeting = threading.Barrier(2)

    def ensure(
        self, kubernetes_version: str, source: Source = Source.AUTO, *, refresh: bool = False
    ) -> ArtifactSet:
        self.meeting.wait(30)
        return super().ensure(kubernetes_version, source, refresh=refresh)


@pytest.mark.parametrize("refresh", [False, True])
def test_base_system_and_artefacts_are_made_at_the_same_time(
    artifacts: FakeArtifacts,
    directories: Directories,
    monkeypatch: pytest.MonkeyPatch,
    *,
    refresh: bool,
) -> None:
    slow = SlowArtifacts(artifacts.built.image_archive, (*PROGRAMS, *PLUGINS))

    def fetch(tar: Path, **_: object) -> None:
        slow.meeting.wait(30)
        tar.touch()

    monkeypatch.setattr(debian, "fetch_packages", fetch)
    monkeypatch.setattr(DebianImages, "_bake", lambda *words: _bake(words[-1]))
    if refresh:
        put_base(directories)
    images = DebianImages(directories, FakeEvents(), slow, now=lambda: "2031")
    assert images.ensure("v1.37.2", refresh=refresh).packages_fetched == "2031"


@pytest.mark.usefixtures("without_programs")
def test_neither_the_failure_of_the_base_system_nor_of_the_artefacts_is_lost(
    artifacts: FakeArtifacts, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2)

    def fail(*_: object, **__: object) -> None:
        meeting.wait(30)
        raise HostError("No modules.", hint="export GOPROXY=direct")

    def fetch(*_: object, **__: object) -> None:
        meeting.wait(30)
        raise HostError("No mirror.", details="None is set.")

    monkeypatch.setattr(artifacts, "ensure", fail)
    monkeypatch.setattr(debian, "fetch_packages", fetch)
    with pytest.raises(HostError, match="No modules") as caught:
        DebianImages(directories, FakeEvents(), artifacts).ensure("v1.37.2")
    assert caught.value.details == "Also: No mirror. None is set."
    assert list((directories.cache / "bases").iterdir()) == []


def test_a_version_that_does_not_exist_fetches_nothing(
    artifacts: FakeArtifacts, directories: Directories
) -> None:
    with pytest.raises(UsageError):
        DebianImages(directories, FakeEvents(), artifacts).ensure("v1.2.3")
    assert not directories.cache.exists()


@pytest.mark.usefixtures("without_programs")
def test_another_host_that_got_the_directories_of_the_source_builds_nothing(
    artifacts: FakeArtifacts, directories: Directories, tmp_path: Path
) -> None:
    """What a CI keeps under the key of the source is enough."""
    put_image(directories, recipe.image_key(put_base(directories), "first"))
    images = DebianImages(directories, FakeEvents(), artifacts)
    kept = set(images.source("v1.37.2").directories)
    other = replace(directories, cache=tmp_path / "x" / "cache", volumes=tmp_path / "x" / "data/v")
    for mine, theirs in ((directories.images, other.images), (directories.cache, other.cache)):
        for place in [place for place in kept if place.is_relative_to(mine)]:
            shutil.copytree(place, theirs / place.relative_to(mine))
            kept.remove(place)
    assert kept == {artifacts.directory}
    assert DebianImages(other, FakeEvents(), artifacts).ensure("v1.37.2").key == (
        images.ensure("v1.37.2").key
    )


@pytest.mark.usefixtures("without_programs")
def test_an_image_of_other_artefacts_is_not_taken(
    artifacts: FakeArtifacts, directories: Directories
) -> None:
    put_image(directories, recipe.image_key(put_base(directories), "older artefacts"))
    with pytest.raises(HostError):
        DebianImages(directories, FakeEvents(), artifacts).ensure("v1.37.2")


def test_images_are_listed_and_pruned_by_use(
    artifacts: FakeArtifacts, directories: Directories
) -> None:
    for key in ("a" * 64, "b" * 64):
        put_image(directories, key)
    images = DebianImages(directories, FakeEvents(), artifacts)
    assert [image.key for image in images.list()] == ["a" * 64, "b" * 64]
    put_base(directories)
    put_base(directories, "0" * 32)
    assert images.prune({"a" * 64}) == ["b" * 64, f"base-{'0' * 32}"]
    assert images.prune({"a" * 64}) == []
    assert [image.key for image in images.list()] == ["a" * 64]
    assert os.listdir(directories.cache / "bases") == [recipe.base_key()]  # noqa: PTH208


def test_a_base_system_of_another_recipe_is_not_taken(
    artifacts: FakeArtifacts, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_image(directories, recipe.image_key(put_base(directories), "first"))
    monkeypatch.setattr(recipe, "SUITE", "forky")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HostError, match="mmdebstrap"):
        DebianImages(directories, FakeEvents(), artifacts).ensure("v1.37.2")


def test_the_roles_get_every_program_of_a_node_and_the_image_names(
    artifacts: FakeArtifacts,
) -> None:
    variables = role_variables(Parts(version="v1.37.2", built=artifacts.built, kubelet=None))
    assert variables["containerd_pause_image"] == "r.example/pause:3.10.2"
    assert variables["container_images_names"] == [
        "r.example/etcd:3.7.0-0",
        "r.example/pause:3.10.2",
    ]
    plugins = [str(artifacts.built.binaries[name]) for name in PLUGINS]
    assert variables["kubernetes_binaries_cni_plugins"] == plugins
    # What comes back from the file of variables is what was meant.
    assert json.loads(json.dumps(variables)) == variables
