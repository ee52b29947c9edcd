"""A file of the cache is used only while it holds what was built (I-01, I-02, I-03)."""

from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.store import Store

FILES = ("kube", "kube-proxy-base.tar", "images.tar")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "set")
    made.open()
    made.add("kube", "v1", lambda path: _write(path, "kube"), mode=0o755)
    return made


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def test_a_file_that_was_built_is_sound(store: Store) -> None:
    assert store.is_sound("kube")
    assert (store.directory / "kube").stat().st_mode & 0o777 == 0o755


def test_a_file_that_was_not_built_is_not_sound(store: Store) -> None:
    assert not store.is_sound("etcd")


def test_one_flipped_byte_is_seen_i_02(store: Store) -> None:
    (store.directory / "kube").write_text("kubf")
    assert not store.is_sound("kube")
    assert "kube" in store.artifacts()


def test_a_truncated_file_is_seen_i_01(store: Store) -> None:
    (store.directory / "kube").write_text("kub")
    assert not store.is_sound("kube")


def test_a_missing_file_is_seen(store: Store) -> None:
    (store.directory / "kube").unlink()
    assert not store.is_sound("kube")


def test_a_link_to_the_right_bytes_is_not_trusted(store: Store, tmp_path: Path) -> None:
    (store.directory / "kube").rename(tmp_path / "elsewhere")
    (store.directory / "kube").symlink_to(tmp_path / "elsewhere")
    assert not store.is_sound("kube")


def test_a_file_without_an_entry_is_not_used_i_03(store: Store) -> None:
    (store.directory / "etcd").write_text("of another program")
    assert not store.is_sound("etcd")


@pytest.mark.parametrize("text", ["", "{", "[]", "[1]", '[{"name": "kube"}]', '{"kube": 1}'])
def test_a_damaged_manifest_names_nothing(store: Store, text: str) -> None:
    (store.directory / "manifest.json").write_text(text)
    assert not store.is_sound("kube")
    assert store.artifacts() == {}


def test_a_manifest_cannot_name_a_file_outside_of_its_directory(
    store: Store, tmp_path: Path
) -> None:
    manifest = store.directory / "manifest.json"
    (tmp_path / "other").write_text("kube")
    manifest.write_text(manifest.read_text().replace('"kube"', '"../other"'))
    assert store.artifacts() == {}


def test_a_failing_build_leaves_the_old_file(store: Store) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.add("kube", "v1", fail, mode=0o755)
    assert store.is_sound("kube")


def test_adding_again_replaces_file_and_entry(store: Store) -> None:
    store.add("kube", "v2", lambda path: _write(path, "newer"), mode=0o755)
    assert store.is_sound("kube")
    assert [(one.version, one.size_bytes) for one in store.artifacts().values()] == [("v2", 5)]


def test_a_new_file_makes_the_archive_of_its_copies_unsound(store: Store) -> None:
    store.add("images.tar", "v1", lambda path: _write(path, "images"), mode=0o644)
    store.add("etcd", "v1", lambda path: _write(path, "etcd"), mode=0o755)
    assert (store.is_sound("kube"), store.is_sound("images.tar")) == (True, False)


def test_a_set_is_complete_with_all_of_its_files(store: Store) -> None:
    assert not store.is_complete(FILES)
    store.add("kube-proxy-base.tar", "v1", lambda path: _write(path, "base"), mode=0o644)
    assert not store.is_complete(FILES)
    store.add("images.tar", "v1", lambda path: _write(path, "images"), mode=0o644)
    assert store.is_complete(FILES)
    assert not store.is_complete([*FILES, "etcd"])


def test_a_set_seems_complete_by_its_sizes(store: Store) -> None:
    assert not store.seems_complete(FILES)
    for name in ("kube-proxy-base.tar", "images.tar"):
        store.add(name, "v1", lambda path: _write(path, "tar"), mode=0o644)
    assert store.seems_complete(FILES)
    (store.directory / "kube").write_text("kubf")
    assert store.seems_complete(FILES)
    (store.directory / "kube").write_text("kub")
    assert not store.seems_complete(FILES)


def test_opening_removes_what_a_killed_run_left_i_05(store: Store) -> None:
    (store.work / "deep").mkdir()
    (store.work / "deep" / "half").write_text("x")
    (store.directory / ".bootstrap-kube.abcdefgh").write_text("x")
    store.open()
    assert sorted(path.name for path in store.directory.iterdir()) == [
        ".work",
        "kube",
        "manifest.json",
    ]
    assert list(store.work.iterdir()) == []


def test_a_moved_directory_stays_sound(store: Store, tmp_path: Path) -> None:
    store.directory.rename(tmp_path / "moved")
    assert Store(tmp_path / "moved").is_sound("kube")
