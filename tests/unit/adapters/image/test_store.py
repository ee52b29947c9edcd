"""Images on disk are whole or absent, whatever killed the run that made them."""

import contextlib
import json
import os
from pathlib import Path

import pytest

from bootstrap.adapters.image.store import ImageStore

KEY = "a" * 64
OTHER = "b" * 64


class Killed(BaseException):
    """Ends a block as no ordinary error does."""


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    made = ImageStore(directory=tmp_path / "data" / "images")
    made.prepare()
    return made


def build(store: ImageStore, key: str = KEY) -> None:
    with store.building(key, kubernetes_version="v1.37.2") as work:
        for name in ("disk.raw", "vmlinuz", "initrd.img"):
            (work / name).write_text(f"{name} of {key}")


def test_a_built_image_is_found_with_all_that_a_node_needs(store: ImageStore) -> None:
    build(store)
    image = store.find(KEY)
    assert image is not None
    assert image.disk.read_text() == f"disk.raw of {KEY}"
    assert image.kernel.read_text() == f"vmlinuz of {KEY}"
    assert image.initrd.read_text() == f"initrd.img of {KEY}"
    assert (image.key, image.kubernetes_version) == (KEY, "v1.37.2")
    assert image.size_bytes == image.disk.stat().st_size


def test_nobody_may_write_to_the_files_of_an_image(store: ImageStore) -> None:
    build(store)
    files = list((store.directory / KEY).iterdir())
    assert {file.name for file in files} == {"disk.raw", "vmlinuz", "initrd.img", "image.json"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o444}


@pytest.mark.parametrize(("is_shared", "mode"), [(True, 0o755), (False, 0o700)])
def test_only_shared_images_are_open_to_the_system_daemons_user(
    tmp_path: Path, *, is_shared: bool, mode: int
) -> None:
    store = ImageStore(directory=tmp_path / "data" / "images", is_shared=is_shared)
    store.prepare()
    build(store)
    for directory in (store.directory.parent, store.directory, store.directory / KEY):
        assert directory.stat().st_mode & 0o777 == mode


def test_an_unfinished_image_is_not_there(store: ImageStore) -> None:
    with (
        contextlib.suppress(Killed),
        store.building(KEY, kubernetes_version="v1.37.2") as work,
    ):
        (work / "disk.raw").write_text("half")
        raise Killed
    assert store.find(KEY) is None
    assert list(store.directory.iterdir()) == []


def test_what_a_killed_run_left_is_swept(store: ImageStore) -> None:
    build(store)
    for name in (".building-aaaa-xyz", f".removing-{OTHER}"):
        (store.directory / name / "scratch").mkdir(parents=True)
        (store.directory / name / "disk.raw").write_text("half")
    store.prepare()
    assert os.listdir(store.directory) == [KEY]  # noqa: PTH208 - hidden names count


@pytest.mark.parametrize("name", ["disk.raw", "vmlinuz", "initrd.img", "image.json"])
def test_an_image_without_one_of_its_files_is_not_there(store: ImageStore, name: str) -> None:
    build(store)
    (store.directory / KEY / name).unlink()
    assert store.find(KEY) is None
    assert store.list() == []


def test_a_truncated_disk_is_built_again_and_not_used(store: ImageStore) -> None:
    build(store)
    disk = store.directory / KEY / "disk.raw"
    disk.chmod(0o644)
    os.truncate(disk, 3)
    assert store.find(KEY) is None
    build(store)
    assert store.find(KEY) is not None


@pytest.mark.parametrize("note", ["", "{", "[]", "null", '{"sizes": 3}', json.dumps({"sizes": {}})])
def test_a_damaged_note_means_that_there_is_no_image(store: ImageStore, note: str) -> None:
    build(store)
    path = store.directory / KEY / "image.json"
    path.chmod(0o644)
    path.write_text(note)
    assert store.find(KEY) is None


def test_images_are_listed_by_key(store: ImageStore) -> None:
    build(store, OTHER)
    build(store, KEY)
    assert [image.key for image in store.list()] == [KEY, OTHER]


def test_nothing_is_listed_where_nothing_was_built(tmp_path: Path) -> None:
    assert ImageStore(directory=tmp_path / "absent").list() == []


def test_pruning_keeps_what_is_in_use(store: ImageStore) -> None:
    build(store, KEY)
    build(store, OTHER)
    assert store.prune({OTHER}) == [KEY]
    assert [image.key for image in store.list()] == [OTHER]
    assert store.prune({OTHER}) == []


def test_removing_twice_does_nothing_the_second_time(store: ImageStore) -> None:
    build(store)
    assert store.remove(KEY)
    assert not store.remove(KEY)
