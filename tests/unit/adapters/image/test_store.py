"""Images on disk are whole or absent, whatever killed the run that made them."""

import contextlib
import json
import os
from pathlib import Path

import pytest

from bootstrap.adapters.image.store import Store

KEY = "a" * 64
OTHER = "b" * 64
_ODD = json.dumps({"sizes": 1, "sha256": 1, "version": 1})
FILES = ("disk.raw", "vmlinuz", "initrd.img")


class Killed(BaseException):
    """Ends a block as no ordinary error does."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(files=FILES, directory=tmp_path / "data" / "images")
    made.prepare()
    return made


def build(store: Store, key: str = KEY) -> None:
    def make(work: Path) -> None:
        for name in FILES:
            (work / name).write_text(f"{name} of {key}")

    store.add(key, version="v1.37.2", fetched="2030-01-01", make=make)


def test_a_built_entry_is_found_with_all_its_files(store: Store) -> None:
    build(store)
    entry = store.find(KEY)
    assert entry is not None
    for name in FILES:
        assert (entry.directory / name).read_text() == f"{name} of {KEY}"
        assert entry.sizes[name] == (entry.directory / name).stat().st_size
    assert (entry.directory.name, entry.version) == (KEY, "v1.37.2")
    assert entry.fetched == "2030-01-01"
    assert entry.is_sound()


@pytest.mark.parametrize("name", FILES)
def test_an_entry_with_one_wrong_byte_is_not_sound(store: Store, name: str) -> None:
    build(store)
    path = store.directory / KEY / name
    path.chmod(0o644)
    path.write_text(path.read_text().upper())
    entry = store.find(KEY)
    assert entry is not None
    assert not entry.is_sound()
    path.unlink()
    assert not entry.is_sound()


def test_the_files_of_an_image_are_read_only(store: Store) -> None:
    build(store)
    files = list((store.directory / KEY).iterdir())
    assert {file.name for file in files} == {"disk.raw", "vmlinuz", "initrd.img", "note.json"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o444}


@pytest.mark.parametrize(("is_shared", "mode"), [(True, 0o755), (False, 0o700)])
def test_only_shared_images_are_open_to_the_system_daemons_user(
    tmp_path: Path, *, is_shared: bool, mode: int
) -> None:
    store = Store(files=FILES, directory=tmp_path / "data" / "images", is_shared=is_shared)
    store.prepare()
    build(store)
    for directory in (store.directory.parent, store.directory, store.directory / KEY):
        assert directory.stat().st_mode & 0o777 == mode


def test_an_unfinished_image_is_not_there(store: Store) -> None:
    def make(work: Path) -> None:
        (work / "disk.raw").write_text("half")
        raise Killed

    with contextlib.suppress(Killed):
        store.add(KEY, version="v1.37.2", fetched="", make=make)
    assert store.find(KEY) is None
    assert list(store.directory.iterdir()) == []


def test_preparing_removes_leftovers_of_killed_runs(store: Store) -> None:
    build(store)
    for name in (".building-aaaa-xyz", f".removing-{OTHER}"):
        (store.directory / name / "scratch").mkdir(parents=True)
        (store.directory / name / "disk.raw").write_text("half")
    store.prepare()
    assert os.listdir(store.directory) == [KEY]  # noqa: PTH208 - hidden names count


@pytest.mark.parametrize("name", ["disk.raw", "vmlinuz", "initrd.img", "note.json"])
def test_an_image_without_one_of_its_files_is_not_there(store: Store, name: str) -> None:
    build(store)
    (store.directory / KEY / name).unlink()
    assert store.find(KEY) is None
    assert store.list() == []


def test_a_truncated_disk_is_built_again_and_not_used(store: Store) -> None:
    build(store)
    disk = store.directory / KEY / "disk.raw"
    disk.chmod(0o644)
    os.truncate(disk, 3)
    assert store.find(KEY) is None
    build(store)
    assert store.find(KEY) is not None


@pytest.mark.parametrize("note", ["", "{", "[]", "null", '{"sizes": 3}', '{"sizes": {}}', _ODD])
def test_a_damaged_note_means_that_there_is_no_image(store: Store, note: str) -> None:
    build(store)
    path = store.directory / KEY / "note.json"
    path.chmod(0o644)
    path.write_text(note)
    assert store.find(KEY) is None


def test_images_are_listed_by_key(store: Store) -> None:
    build(store, OTHER)
    build(store, KEY)
    assert [entry.directory.name for entry in store.list()] == [KEY, OTHER]


def test_nothing_is_listed_where_nothing_was_built(tmp_path: Path) -> None:
    assert Store(files=FILES, directory=tmp_path / "absent").list() == []


def test_pruning_keeps_entries_in_use(store: Store) -> None:
    build(store, KEY)
    build(store, OTHER)
    assert store.prune({OTHER}) == [KEY]
    assert [entry.directory.name for entry in store.list()] == [OTHER]
    assert store.prune({OTHER}) == []


def test_pruning_keeps_files_of_others(store: Store) -> None:
    (store.directory / "dissertation").mkdir()
    (store.directory / "notes.json").touch()
    (store.directory / ("0" * 32)).mkdir()
    assert store.prune(()) == ["0" * 32]
    assert {path.name for path in store.directory.iterdir()} == {"dissertation", "notes.json"}


def test_pruning_where_nothing_was_built_does_nothing(tmp_path: Path) -> None:
    assert Store(directory=tmp_path / "absent", files=FILES).prune(()) == []


def test_removing_twice_does_nothing_the_second_time(store: Store) -> None:
    build(store)
    assert store.remove(KEY)
    assert not store.remove(KEY)
