"""An image that is there is given at once."""

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.image import recipe
from bootstrap.adapters.image.debian import DebianImages, role_variables
from bootstrap.adapters.image.store import ImageStore
from bootstrap.errors import HostError

PROGRAMS = ("kube", "containerd", "containerd-shim-runc-v2", "ctr", "etcd", "coredns")
PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")


@dataclass
class Built:
    binaries: dict[str, Path]
    image_archive: Path
    digest: str


class FixedArtifacts:
    def __init__(self, built: Built) -> None:
        self.built = built
        self.asked: list[str] = []

    def ensure(self, version: str) -> Built:
        self.asked.append(version)
        return self.built


class Silence:
    def step(self, title: str) -> None: ...
    def node(self, name: str, status: str) -> None: ...
    def note(self, text: str) -> None: ...


@pytest.fixture
def built(tmp_path: Path) -> Built:
    archive = tmp_path / "images.tar"
    names = ("r.example/pause:3.10.2", "r.example/etcd:3.7.0-0")
    manifests = [{"annotations": {"io.containerd.image.name": name}} for name in names]
    data = json.dumps({"manifests": manifests}).encode()
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    binaries = {name: tmp_path / "bin" / name for name in (*PROGRAMS, *PLUGINS)}
    return Built(binaries=binaries, image_archive=archive, digest="artefacts")


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(
        state=tmp_path / "state", cache=tmp_path / "cache", volumes=tmp_path / "data" / "volumes"
    )


@pytest.fixture
def without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host where no program can be found."""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))


def put_base(directories: Directories) -> None:
    bases = directories.cache / "bases"
    bases.mkdir(parents=True)
    (bases / f"{recipe.base_key()}.tar").write_bytes(b"content")
    note = {"sha256": "base", "size": 7}
    (bases / f"{recipe.base_key()}.json").write_text(json.dumps(note))


def put_image(directories: Directories, key: str) -> None:
    store = ImageStore(directory=directories.images)
    store.prepare()
    with store.building(key, kubernetes_version="v1.37.2") as work:
        for name in ("disk.raw", "vmlinuz", "initrd.img"):
            (work / name).write_text(name)


@pytest.mark.usefixtures("without_programs")
def test_an_image_that_is_there_needs_no_program_and_no_lock(
    built: Built, directories: Directories
) -> None:
    put_base(directories)
    key = recipe.image_key("base", "artefacts")
    put_image(directories, key)
    artifacts = FixedArtifacts(built)
    image = DebianImages(directories, Silence(), artifacts).ensure("v1.37.2")
    assert image.key == key
    assert artifacts.asked == ["v1.37.2"]
    assert not directories.state.exists()


@pytest.mark.usefixtures("without_programs")
@pytest.mark.parametrize("has_base", [True, False])
def test_a_host_without_the_tools_is_told_what_to_install(
    built: Built, directories: Directories, *, has_base: bool
) -> None:
    if has_base:
        put_base(directories)
    with pytest.raises(HostError) as caught:
        DebianImages(directories, Silence(), FixedArtifacts(built)).ensure("v1.37.2")
    assert "sudo apt-get install" in caught.value.hint
    assert list(directories.images.iterdir()) == []


@pytest.mark.usefixtures("without_programs")
def test_an_image_of_other_artefacts_is_not_taken(built: Built, directories: Directories) -> None:
    put_base(directories)
    put_image(directories, recipe.image_key("base", "older artefacts"))
    with pytest.raises(HostError):
        DebianImages(directories, Silence(), FixedArtifacts(built)).ensure("v1.37.2")


def test_images_are_listed_and_pruned_by_use(built: Built, directories: Directories) -> None:
    for key in ("a" * 64, "b" * 64):
        put_image(directories, key)
    images = DebianImages(directories, Silence(), FixedArtifacts(built))
    assert [image.key for image in images.list()] == ["a" * 64, "b" * 64]
    put_base(directories)
    (directories.cache / "bases" / f"{'0' * 32}.tar").touch()
    assert images.prune({"a" * 64}) == ["b" * 64, f"base-{'0' * 32}"]
    assert images.prune({"a" * 64}) == []
    assert [image.key for image in images.list()] == ["a" * 64]


def test_the_roles_get_every_program_of_a_node_and_the_image_names(built: Built) -> None:
    variables = role_variables(built)
    assert variables["containerd_pause_image"] == "r.example/pause:3.10.2"
    assert variables["container_images_names"] == [
        "r.example/etcd:3.7.0-0",
        "r.example/pause:3.10.2",
    ]
    plugins = [str(built.binaries[name]) for name in PLUGINS]
    assert variables["kubernetes_binaries_cni_plugins"] == plugins
    # What comes back from the file of variables is what was meant.
    assert json.loads(json.dumps(variables)) == variables
