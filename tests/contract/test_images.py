"""The Images port: the fake and the store of built images do the same.

Building takes minutes and is the e2e tests' part; here what shall be built lies ready.
"""

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.image.bake import DISK, INITRD, KERNEL
from bootstrap.adapters.image.debian import DebianImages
from bootstrap.adapters.image.parts import Parts
from bootstrap.adapters.image.store import Entry, Store
from bootstrap.adapters.locks import locked
from bootstrap.errors import HostError, StateError, UsageError
from bootstrap.ports import Images
from tests.fakes.artifacts import FakeArtifacts
from tests.fakes.events import FakeEvents
from tests.fakes.images import FakeImages

VERSION, OLDER = "v1.37.2", "v1.36.3"
LATER = "2030-02-01T00:00:00+00:00"


class Place(Protocol):
    """Node images of a host, fake or real."""

    def images(self) -> Images:
        """Return the adapter, as a new run of the tool sees the place."""

    def change_sources(self) -> None:
        """Change what an image would be built from."""

    def pass_days(self) -> None:
        """Let some days pass."""

    def lose_tools(self) -> None:
        """Remove the programs that building needs."""

    def damage(self, key: str) -> None:
        """Cut a file of the image short."""

    def flip(self, key: str) -> None:
        """Change one byte of the image, whose size stays."""

    def leave_half(self) -> None:
        """Leave what a killed run does."""

    def has_half(self) -> bool:
        """Tell whether it is still there."""

    def is_flipped(self, key: str) -> bool:
        """Tell whether the image still has that byte."""


class FakePlace:
    def __init__(self) -> None:
        self._images = FakeImages()

    def images(self) -> Images:
        return self._images

    def change_sources(self) -> None:
        self._images.key = "fedcba9876543210"

    def pass_days(self) -> None:
        self._images.today = LATER

    def lose_tools(self) -> None:
        self._images.has_tools = False

    def damage(self, key: str) -> None:
        del self._images.built[key]

    def flip(self, key: str) -> None:
        self._images.rotten.add(key)

    def leave_half(self) -> None:
        self._images.half_built = True

    def has_half(self) -> bool:
        return self._images.half_built

    def is_flipped(self, key: str) -> bool:
        return key in self._images.rotten


class QuickImages(DebianImages):
    """The real adapter but for the minutes inside a namespace: files come from nowhere."""

    def _fetch_base(self, work: Path) -> None:
        if not os.environ["PATH"]:
            namespace.check(uid=os.getuid())
        # As mmdebstrap's, its bytes depend on when it was made.
        (work / "base.tar").write_text(f"packages of {self._now()}")

    def _bake(self, _base: Entry, _parts: Parts, work: Path) -> None:
        if not os.environ["PATH"]:
            namespace.check(uid=os.getuid())
        for name in ("disk.raw", "vmlinuz", "initrd.img"):
            (work / name).write_text(name)


class RealPlace:
    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directories = Directories(
            state=directory / "state",
            cache=directory / "cache",
            volumes=directory / "data" / "volumes",
        )
        self._artifacts = FakeArtifacts(directory / "images.tar")
        self._environment = monkeypatch
        self._today = "2030-01-01T00:00:00+00:00"

    def images(self) -> Images:
        return QuickImages(
            self._directories, FakeEvents(), self._artifacts, now=lambda: self._today
        )

    def change_sources(self) -> None:
        self._artifacts.built = replace(self._artifacts.built, digest="second")

    def pass_days(self) -> None:
        self._today = LATER

    def lose_tools(self) -> None:
        self._environment.setenv("PATH", "")
        self._artifacts.has_mirror = False

    def damage(self, key: str) -> None:
        disk = self._directories.images / key / "disk.raw"
        disk.chmod(0o600)
        disk.write_text("disk")

    def flip(self, key: str) -> None:
        disk = self._directories.images / key / "disk.raw"
        disk.chmod(0o600)
        disk.write_text("disk.rav")

    def leave_half(self) -> None:
        for half in self._halves():
            half.mkdir(parents=True)
            (half / "disk.raw").write_text("dis")

    def has_half(self) -> bool:
        return any(half.exists() for half in self._halves())

    def built_by_another(self) -> AbstractContextManager[None]:
        return locked(self._directories.images_lock, what="the node images")

    def _halves(self) -> list[Path]:
        bases, images = self._directories.cache / "bases", self._directories.images
        return [bases / ".building-x", images / ".building-x", images / ".removing-x"]

    def is_flipped(self, key: str) -> bool:
        return (self._directories.images / key / "disk.raw").read_text() == "disk.rav"


@pytest.fixture(params=["fake", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace(tmp_path, monkeypatch)


def test_an_image_that_was_never_built_is_not_there(place: Place) -> None:
    assert place.images().find("0" * 64) is None


def test_an_image_is_built_once_and_a_later_run_gets_the_same(place: Place) -> None:
    image = place.images().ensure(VERSION)
    assert image.kubernetes_version == VERSION
    assert place.images().ensure(VERSION) == image
    assert place.images().find(image.key) == image


def test_the_files_of_an_image_lie_in_a_directory_of_its_key(place: Place) -> None:
    image = place.images().ensure(VERSION)
    files = {image.disk, image.kernel, image.initrd}
    assert len(files) == 3
    assert {file.parent.name for file in files} == {image.key}
    assert image.size_bytes > 0


def test_an_image_that_is_there_needs_no_tool(place: Place) -> None:
    """I-04."""
    image = place.images().ensure(VERSION)
    place.lose_tools()
    assert place.images().ensure(VERSION) == image
    assert place.images().find(image.key) == image


def test_a_host_without_the_tools_gets_an_error_and_keeps_no_files(place: Place) -> None:
    place.lose_tools()
    with pytest.raises(HostError) as caught:
        place.images().ensure(VERSION)
    assert caught.value.exit_code == 3
    assert caught.value.hint.startswith("sudo apt-get install ")


def test_other_sources_make_another_image_beside_the_old_one(place: Place) -> None:
    """I-13: clusters overlay the old one."""
    old = place.images().ensure(VERSION)
    place.change_sources()
    new = place.images().ensure(VERSION)
    assert new.key != old.key
    assert place.images().find(old.key) == old
    assert place.images().find(new.key) == new


def test_an_image_that_was_damaged_is_not_there_and_is_built_again(place: Place) -> None:
    """I-02."""
    image = place.images().ensure(VERSION)
    place.damage(image.key)
    assert place.images().find(image.key) is None
    assert place.images().ensure(VERSION) == image
    assert place.images().find(image.key) == image


def test_an_image_that_rotted_is_noticed_before_a_new_cluster_gets_it(place: Place) -> None:
    """I-02, I-03: its size is right, one byte of it is not."""
    image = place.images().ensure(VERSION)
    place.flip(image.key)
    assert place.images().ensure(VERSION) == image
    assert not place.is_flipped(image.key)


def test_an_image_is_expected_once_it_was_built(place: Place) -> None:
    assert place.images().expected(VERSION) is None
    image = place.images().ensure(VERSION)
    assert place.images().expected(VERSION) == image
    place.images().check(image)
    place.change_sources()
    assert place.images().expected(VERSION) is None


def test_an_image_that_rotted_is_noticed_by_its_check_and_built_again(place: Place) -> None:
    """I-02, I-03: the disks of other clusters lie over it, so it stays until then."""
    image = place.images().ensure(VERSION)
    place.flip(image.key)
    assert place.images().expected(VERSION) == image
    with pytest.raises(StateError) as caught:
        place.images().check(image)
    assert caught.value.hint == "bootstrap image build"
    assert place.images().expected(VERSION) is None
    assert place.images().find(image.key) == image
    assert place.images().ensure(VERSION) == image
    assert not place.is_flipped(image.key)
    place.images().check(image)
    assert place.images().expected(VERSION) == image


@pytest.mark.parametrize("name", ["vmlinuz", "initrd.img"])
def test_an_image_whose_kernel_rotted_is_not_expected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-03: a probe would boot it and remember that KVM does not work."""
    place = RealPlace(tmp_path, monkeypatch)
    file = place.images().ensure(VERSION).disk.with_name(name)
    file.chmod(0o600)
    file.write_text(file.read_text().upper())
    assert place.images().expected(VERSION) is None


def test_an_image_that_is_gone_fails_its_check(place: Place) -> None:
    image = place.images().ensure(VERSION)
    place.damage(image.key)
    with pytest.raises(StateError):
        place.images().check(image)


def test_images_are_listed_and_those_that_nothing_uses_are_pruned(place: Place) -> None:
    """I-05."""
    old = place.images().ensure("v1.37.2").key
    place.change_sources()
    new = place.images().ensure("v1.37.2").key
    assert [image.key for image in place.images().list()] == sorted((old, new))
    assert list(place.images().prune({new})) == [old]
    assert [image.key for image in place.images().list()] == [new]
    assert list(place.images().prune({new})) == []


def test_an_older_kubelet_makes_another_image(place: Place) -> None:
    own = place.images().ensure(VERSION)
    assert place.images().expected(VERSION, kubelet_version=OLDER) is None
    older = place.images().ensure(VERSION, kubelet_version=OLDER)
    assert older.key != own.key
    assert (older.kubernetes_version, older.kubelet_version) == (VERSION, OLDER)
    assert own.kubelet_version == VERSION
    assert place.images().find(older.key) == older
    assert place.images().expected(VERSION, kubelet_version=OLDER) == older
    assert place.images().ensure(VERSION, kubelet_version=VERSION) == own
    assert place.images().expected(VERSION) == own


def test_the_source_of_an_image_tells_its_kubelet(place: Place) -> None:
    images = place.images()
    own = images.source(VERSION)
    assert images.source(VERSION, kubelet_version=VERSION) == own
    assert images.source(VERSION, kubelet_version=OLDER).key != own.key


@pytest.mark.parametrize("version", ["v1.0.0", "1.37.2", "", "latest"])
def test_a_version_that_cannot_be_built_is_refused(place: Place, version: str) -> None:
    """K-10."""
    with pytest.raises(UsageError) as caught:
        place.images().ensure(version)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("key", ["", "..", "a/b"])
def test_a_key_that_no_image_has_names_none(place: Place, key: str) -> None:
    place.images().ensure(VERSION)
    assert place.images().find(key) is None


def test_a_failed_build_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I-05."""
    place = RealPlace(tmp_path, monkeypatch)
    place.lose_tools()
    with pytest.raises(HostError):
        place.images().ensure(VERSION)
    assert list((tmp_path / "data" / "images").iterdir()) == []


def test_a_base_system_that_rotted_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-02: no image is made from it."""
    place = RealPlace(tmp_path, monkeypatch)
    place.images().ensure(VERSION)
    (tar,) = (tmp_path / "cache" / "bases").glob("*/base.tar")
    made = tar.read_bytes()
    tar.chmod(0o600)
    tar.write_bytes(made.upper())
    place.change_sources()
    place.images().ensure(VERSION)
    assert tar.read_bytes() == made


def test_a_refresh_makes_an_image_of_new_packages_beside_the_old_one(place: Place) -> None:
    """I-13: clusters overlay the old one; new ones get the new one."""
    old = place.images().ensure(VERSION)
    place.pass_days()
    assert place.images().ensure(VERSION) == old
    new = place.images().ensure(VERSION, refresh=True)
    assert new.key != old.key
    assert (old.packages_fetched, new.packages_fetched) == ("2030-01-01T00:00:00+00:00", LATER)
    assert place.images().ensure(VERSION) == new
    assert place.images().find(old.key) == old


def test_a_refresh_that_fails_keeps_what_is_there(place: Place) -> None:
    image = place.images().ensure(VERSION)
    place.lose_tools()
    with pytest.raises(HostError):
        place.images().ensure(VERSION, refresh=True)
    assert place.images().ensure(VERSION) == image


def test_sweeping_removes_half_built_images(place: Place) -> None:
    """R-07: and what is built stays."""
    image = place.images().ensure(VERSION)
    place.leave_half()
    place.images().sweep()
    assert not place.has_half()
    assert place.images().find(image.key) == image
    place.images().sweep()


def test_sweeping_keeps_an_image_that_another_process_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-01."""
    place = RealPlace(tmp_path, monkeypatch)
    place.leave_half()
    with place.built_by_another():
        place.images().sweep()
        assert place.has_half()
    place.images().sweep()
    assert not place.has_half()


def test_an_image_of_another_host_is_adopted_once(place: Place, tmp_path: Path) -> None:
    made = place.images().ensure(VERSION)
    directory = tmp_path / "foreign" / made.key
    directory.mkdir(parents=True)
    if not isinstance(place, FakePlace):
        for path in made.disk.parent.iterdir():
            (directory / path.name).write_bytes(path.read_bytes())
    else:
        (directory / "note.json").write_text("{}")
    assert place.images().adopt(directory) == made
    (directory / "note.json").unlink()
    with pytest.raises(StateError, match="is not what was built"):
        place.images().adopt(directory)


def test_an_adopted_image_is_one_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = RealPlace(tmp_path, monkeypatch)
    foreign = foreign_image(tmp_path, "0123456789abcdef")
    found = place.images().adopt(foreign)
    assert place.images().find(foreign.name) == found
    assert not list(foreign.glob("*.raw"))
    place.images().check(found)


def test_an_image_of_other_bytes_is_not_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = RealPlace(tmp_path, monkeypatch)
    known = place.images().ensure(VERSION)
    with pytest.raises(StateError, match="of other bytes"):
        place.images().adopt(foreign_image(tmp_path, known.key))
    assert place.images().find(known.key) == known


def foreign_image(place: Path, key: str) -> Path:
    """Make an image in a directory that is named as its key, and return that directory."""
    store = Store(directory=place / "foreign" / "images", files=(DISK, KERNEL, INITRD))
    store.prepare()

    def make(work: Path) -> None:
        for name in store.files:
            (work / name).write_text("foreign")

    return store.add(key, version=VERSION, fetched="", make=make).directory
