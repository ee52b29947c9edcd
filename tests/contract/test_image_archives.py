"""The ImageArchives port: the fake and real files do the same."""

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.archives.reading import read_archive
from bootstrap.adapters.archives.store import FileArchives
from bootstrap.adapters.locks import locked
from bootstrap.adapters.volumes.store import FileVolumes
from bootstrap.errors import BootstrapError, LockedError, NotOursError, StateError, UsageError
from bootstrap.model.loading import FoundArchive, KeptArchive
from bootstrap.model.names import ClusterName
from bootstrap.ports import ImageArchives, Volumes
from tests.archives import Layout, docker_members, layout_of, named, write_tar
from tests.builders import INSTALL, OTHER_INSTALL, a_cluster_spec, a_plan
from tests.fakes.archives import FakeImageArchives, an_image_named
from tests.fakes.volumes import FakeVolumes

DEMO = ClusterName("demo")
APP, TOOL = "docker.io/library/app:1", "example.test/tool:2"


class Place(Protocol):
    """Where clusters have volumes, and the archives of one user."""

    archives: ImageArchives
    volumes: Volumes
    root: Path

    def source(self, *names: str, content: str = "") -> str:
        """Have an archive on this host, and return its name."""

    def steal(self) -> None:
        """Let the cluster's directory be another install's."""


class FakePlace:
    root = Path("/volumes")

    def __init__(self) -> None:
        self._volumes = FakeVolumes(INSTALL)
        self._archives = FakeImageArchives(self._volumes)
        self.volumes: Volumes = self._volumes
        self.archives: ImageArchives = self._archives

    def source(self, *names: str, content: str = "") -> str:
        source = f"{' '.join(names)} {content}.tar"
        self._archives.sources[source] = tuple(an_image_named(name, content) for name in names)
        return source

    def steal(self) -> None:
        self._volumes.held["demo"].owner = OTHER_INSTALL


class RealPlace:
    def __init__(self, directory: Path, *, mode: int = 0o700) -> None:
        self.root, self.directory = directory / "data" / "volumes", directory
        self.volumes: Volumes = FileVolumes(self.root, INSTALL, mode=mode)
        self.archives: ImageArchives = self.of(INSTALL, mode)

    def of(self, install: object, mode: int = 0o700) -> FileArchives:
        assert install in (INSTALL, OTHER_INSTALL)
        known = INSTALL if install == INSTALL else OTHER_INSTALL
        return FileArchives(self.root, self.directory / "cache", known, mode=mode)

    def source(self, *names: str, content: str = "") -> str:
        path = self.directory / f"{len(list(self.directory.iterdir()))}.tar"
        return str(write_tar(path, layout_of(*names, content=content).members))

    def steal(self) -> None:
        marker = self.root / "demo" / "bootstrap-cluster.json"
        marker.write_text(marker.read_text().replace(str(INSTALL), str(OTHER_INSTALL)))

    def files(self) -> list[str]:
        return sorted(path.suffix for path in (self.root / "demo" / "images").iterdir())


def have_cluster(place: Place) -> None:
    plan = a_plan(a_cluster_spec(), volumes=place.root)
    place.volumes.ensure_switch_directory(plan.switch)


@pytest.fixture(params=["fake", "files"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    place: Place = FakePlace() if request.param == "fake" else RealPlace(tmp_path)
    have_cluster(place)
    return place


@pytest.fixture
def real(tmp_path: Path) -> RealPlace:
    place = RealPlace(tmp_path)
    have_cluster(place)
    return place


def add(place: Place, *sources: str) -> list[KeptArchive]:
    added = []
    with place.archives.found(sources) as found:
        for one in found:
            with place.archives.adding(DEMO, one) as kept:
                added.append(kept)
    return added


def names(place: Place) -> list[tuple[str, ...]]:
    return sorted(tuple(it.name for it in one.images) for one in place.archives.kept(DEMO))


def test_an_archive_is_kept_once_and_goes_with_the_volumes(place: Place) -> None:
    source = place.source(APP, TOOL)
    (first,) = add(place, source)
    assert add(place, source) == [first]
    assert place.archives.kept(DEMO) == [first]
    assert place.archives.kept(ClusterName("other")) == []
    place.volumes.remove_cluster(DEMO)
    assert place.archives.kept(DEMO) == []


def test_an_archive_is_not_kept_if_the_block_fails_and_what_was_there_stays(place: Place) -> None:
    add(place, place.source(APP))
    before = place.archives.kept(DEMO)
    with (
        place.archives.found([place.source(APP, content="new")]) as (new,),
        pytest.raises(BootstrapError, match="x"),
        place.archives.adding(DEMO, new),
    ):
        raise BootstrapError("x")
    assert place.archives.kept(DEMO) == before


def test_a_name_belongs_to_the_archive_that_brought_it_last(place: Place) -> None:
    add(place, place.source(APP, TOOL))
    (new,) = add(place, place.source(APP, content="new"))
    assert names(place) == [(APP,), (TOOL,)]
    assert new in place.archives.kept(DEMO)


def test_names_are_forgotten_and_the_archive_after_the_last(place: Place) -> None:
    add(place, place.source(APP, TOOL))
    assert place.archives.forget(DEMO, APP)
    assert names(place) == [(TOOL,)]
    assert not place.archives.forget(DEMO, APP)
    assert place.archives.forget(DEMO, TOOL)
    assert names(place) == []


def test_saved_archives_are_restored_in_place_of_what_is_kept(place: Place, tmp_path: Path) -> None:
    """As a snapshot does: what was loaded since then is kept no longer."""
    (kept,) = add(place, place.source(APP, TOOL))
    saved = tmp_path / kept.path.name
    place.archives.save(kept, saved)
    assert saved.stat().st_mode & 0o777 == 0o600
    add(place, place.source(APP, content="new"))
    found = [FoundArchive(path=saved, images=kept.images)]
    for _ in range(2):
        place.archives.restore(DEMO, found)
        assert place.archives.kept(DEMO) == [kept]
    place.archives.restore(DEMO, [])
    assert place.archives.kept(DEMO) == []


def test_restoring_no_archive_makes_no_directory(real: RealPlace) -> None:
    real.archives.restore(DEMO, [])
    assert not (real.root / "demo" / "images").exists()


def test_a_source_that_is_none_is_wrong_use(place: Place) -> None:
    with pytest.raises(UsageError), place.archives.found([place.source(APP), "./missing.tar"]):
        pytest.fail("it was found")


def test_the_directory_of_another_install_is_neither_read_nor_used(place: Place) -> None:
    """Z-01."""
    source = place.source(APP)
    add(place, source)
    place.steal()
    assert place.archives.kept(DEMO) == []
    with (
        place.archives.found([source]) as (one,),
        pytest.raises(NotOursError),
        place.archives.adding(DEMO, one),
    ):
        pytest.fail("it was added")
    with pytest.raises(NotOursError):
        place.archives.restore(DEMO, [one])


def test_a_kept_archive_is_the_file_itself_in_whole_sectors(real: RealPlace) -> None:
    """H-13: readable where the system daemon's user must read it, whatever the umask is."""
    source = Path(real.source(APP))
    source.write_bytes(source.read_bytes()[:-100])  # still a whole tar: these are its padding
    umask = os.umask(0o077)
    try:
        (kept,) = add(real, str(source))
    finally:
        os.umask(umask)
    data = kept.path.read_bytes()
    assert data.rstrip(b"\0") == source.read_bytes().rstrip(b"\0")
    assert len(data) == kept.size_bytes
    assert kept.size_bytes % 512 == 0
    assert kept.path.stat().st_mode & 0o777 == 0o444
    assert kept.path.parent.stat().st_mode & 0o777 == 0o700


def test_the_system_daemons_user_may_pass_but_not_look(tmp_path: Path) -> None:
    place = RealPlace(tmp_path, mode=0o711)
    (kept,) = add(place, place.source(APP))
    assert kept.path.parent.stat().st_mode & 0o777 == 0o711


@pytest.mark.parametrize("kind", ["layout", "docker", "both"])
def test_what_is_left_of_an_archive_has_no_forgotten_name(real: RealPlace, kind: str) -> None:
    """containerd imports every name that it finds."""
    docker = docker_members(["app:1", TOOL])
    layout = layout_of(APP, TOOL).members
    members = {"layout": layout, "docker": docker, "both": docker | layout}[kind]
    path = write_tar(real.directory / "a.tar", members)
    (kept,) = add(real, str(path))
    real.archives.forget(DEMO, APP)
    (left,) = real.archives.kept(DEMO)
    assert left.path != kept.path
    assert read_archive(left.path) == left.images
    assert [image.name for image in left.images] == [TOOL]
    with tarfile.open(left.path) as tar:
        texts = [tar.extractfile(name) for name in tar.getnames() if name.endswith(".json")]
        assert not [one for one in texts if one and b"app:1" in one.read()]
    assert real.files() == [".json", ".tar"]


def test_two_images_of_one_archive_are_told_apart(real: RealPlace) -> None:
    layout = Layout()
    one, two = layout.image({"os": "linux", "architecture": "amd64", "x": 1}), layout.image()
    layout.index(named(one, APP), named(two, TOOL))
    (kept,) = add(real, str(write_tar(real.directory / "a.tar", layout.members)))
    real.archives.forget(DEMO, APP)
    (left,) = real.archives.kept(DEMO)
    assert left.images == tuple(image for image in kept.images if image.name == TOOL)
    assert read_archive(left.path) == left.images


def test_what_a_kill_left_is_removed_by_the_next_run(real: RealPlace) -> None:
    """R-01: a signal is no failure, so the file stays, which a machine may still read."""
    source = real.source(APP)
    with (
        real.archives.found([source]) as (one,),
        pytest.raises(KeyboardInterrupt),
        real.archives.adding(DEMO, one),
    ):
        raise KeyboardInterrupt
    assert real.files() == [".tar"]
    assert real.archives.kept(DEMO) == []
    add(real, real.source(TOOL))
    assert real.files() == [".json", ".tar"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"name": "a"}]', "null"])
def test_a_damaged_list_of_names_is_told_with_what_to_type(real: RealPlace, text: str) -> None:
    (kept,) = add(real, real.source(APP))
    kept.path.with_suffix(".json").write_text(text)
    with pytest.raises(StateError) as caught:
        real.archives.kept(DEMO)
    assert caught.value.hint == f"rm {kept.path.with_suffix('.json')}"


ENGINE = """#!/bin/sh
echo "$*" >>{log}
[ "$1" = save ] || exit 9
shift
while [ "$#" -gt 2 ]; do shift; done
[ "$2" = app:1 ] || {{ echo "no such image: $2" >&2; exit 1; }}
cp {archive} "$1"
"""


def install(programs: Path, names: Sequence[str], archive: Path) -> Path:
    """Put container engines on PATH that have one image."""
    log = programs / "log"
    for name in names:
        program = programs / name
        program.write_text(ENGINE.format(log=log, archive=archive))
        program.chmod(0o755)
    return log


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cp"):
        (programs / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(programs))
    return programs


@pytest.mark.parametrize("engine", ["docker", "podman", "nerdctl"])
def test_an_image_comes_out_of_an_engine_of_this_host(
    real: RealPlace, programs: Path, engine: str
) -> None:
    log = install(programs, [engine], Path(real.source(APP)))
    with real.archives.found(["app:1"]) as (found,):
        assert [image.name for image in found.images] == [APP]
        assert found.path.exists()
    assert not found.path.exists()
    assert log.read_text().endswith(f" {found.path} app:1\n")


def test_an_image_that_no_engine_has_is_told_with_what_each_said(
    real: RealPlace, programs: Path
) -> None:
    install(programs, ["docker", "podman"], Path("/nonexistent"))
    with pytest.raises(UsageError) as caught, real.archives.found(["other:1"]):
        pytest.fail("it was found")
    for engine in ("docker", "podman"):
        assert f"save image 'other:1' with {engine}" in caught.value.details
    assert "no such image: other:1" in caught.value.details


@pytest.mark.parametrize("name", ["--help", "-o", "a b", "./a", "a.tar/..", "/etc/none.tar"])
def test_a_word_that_is_no_name_reaches_no_engine(
    real: RealPlace, programs: Path, name: str
) -> None:
    """H-06."""
    log = install(programs, ["docker"], Path("/nonexistent"))
    with pytest.raises(UsageError), real.archives.found([name]):
        pytest.fail("it was found")
    assert not log.exists()


@pytest.mark.usefixtures("programs")
def test_without_any_engine_that_is_told(real: RealPlace) -> None:
    with pytest.raises(UsageError) as caught, real.archives.found(["app:1"]):
        pytest.fail("it was found")
    assert "None of docker, podman, nerdctl is installed" in caught.value.details


def test_two_runs_do_not_save_into_the_same_place(
    real: RealPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.adapters.archives.store._SAVE_TIMEOUT_S", 0)
    lock = real.directory / "cache" / "saved.lock"
    with locked(lock, what="x"), pytest.raises(LockedError), real.archives.found(["app:1"]):
        pytest.fail("it was found")
