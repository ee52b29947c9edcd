"""The Images port: the fake and the store of built images do the same.

Building takes minutes and is the e2e tests' part; here what shall be built lies ready.
"""

import hashlib
import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.artifacts.lock import lock_of
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.image import recipe
from bootstrap.adapters.image.base import Base
from bootstrap.adapters.image.debian import BuiltArtifacts, DebianImages
from bootstrap.adapters.locks import locked
from bootstrap.errors import HostError, UsageError
from bootstrap.model.cluster import NodeImage
from bootstrap.ports import Images
from tests.fakes.images import FakeImages
from tests.fakes.progress import FakeProgress

VERSION = "v1.37.2"


class Place(Protocol):
    """Node images of a host, fake or real."""

    def images(self) -> Images:
        """Give the adapter, as a new run of the tool sees the place."""

    def change_sources(self) -> None:
        """Change what an image would be built from."""

    def lose_tools(self) -> None:
        """Have no program any more that building needs."""

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


@dataclass(frozen=True, kw_only=True)
class Built:
    digest: str
    binaries: dict[str, Path]
    image_archive: Path


class ReadyArtifacts:
    """Artefacts that are built; as the real ones, of versions in the lock only."""

    def __init__(self, archive: Path) -> None:
        self.built = Built(digest="first", binaries={}, image_archive=archive)

    def ensure(self, version: str) -> Built:
        lock_of(version)
        return self.built


def write_base(directory: Path) -> Base:
    tar, digest = directory / f"{recipe.base_key()}.tar", hashlib.sha256(b"content").hexdigest()
    tar.write_bytes(b"content")
    tar.with_suffix(".json").write_text(json.dumps({"sha256": digest, "size": 7}))
    return Base(tar=tar, digest=digest)


class QuickImages(DebianImages):
    """The real adapter but for the minutes inside a namespace: files come from nowhere."""

    def _make_base(self) -> Base:
        return write_base(self._bases)

    def _bake(self, base: Base, built: BuiltArtifacts, key: str, version: str) -> NodeImage:
        if not os.environ["PATH"]:
            return super()._bake(base, built, key, version)
        with self._store.building(key, kubernetes_version=version) as work:
            for name in ("disk.raw", "vmlinuz", "initrd.img"):
                (work / name).write_text(name)
        image = self._store.find(key)
        assert image is not None
        return image


class RealPlace:
    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directories = Directories(
            state=directory / "state",
            cache=directory / "cache",
            volumes=directory / "data" / "volumes",
        )
        self._artifacts = ReadyArtifacts(directory / "images.tar")
        self._environment = monkeypatch
        bases = self._directories.cache / "bases"
        bases.mkdir(parents=True, mode=0o700)
        write_base(bases)

    def images(self) -> Images:
        return QuickImages(self._directories, FakeProgress(), self._artifacts)

    def change_sources(self) -> None:
        self._artifacts.built = replace(self._artifacts.built, digest="second")

    def lose_tools(self) -> None:
        self._environment.setenv("PATH", "")

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
        return [bases / ".making-x", images / ".building-x", images / ".removing-x"]

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


def test_a_host_without_the_tools_is_told_and_nothing_is_left(place: Place) -> None:
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


@pytest.mark.parametrize("version", ["v1.0.0", "1.37.2", "", "latest"])
def test_a_version_that_nobody_can_build_is_refused(place: Place, version: str) -> None:
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
    (tar,) = (tmp_path / "cache" / "bases").glob("*.tar")
    tar.write_bytes(b"contend")
    place.images().ensure(VERSION)
    assert tar.read_bytes() == b"content"


def test_what_a_killed_run_left_half_built_is_swept(place: Place) -> None:
    """R-07: and what is built stays."""
    image = place.images().ensure(VERSION)
    place.leave_half()
    place.images().sweep()
    assert not place.has_half()
    assert place.images().find(image.key) == image
    place.images().sweep()


def test_what_is_built_at_this_moment_is_not_swept(
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
