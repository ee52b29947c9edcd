"""Snapshots on disk: whole or absent, private, and left alone where they are not ours.

The workflow's tests use the same adapter, so there is no fake of it.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.adapters.snapshots.store import SnapshotStore
from bootstrap.errors import HostError, NotFoundError, NotOursError, StateError, UsageError
from bootstrap.model.layout import LAYOUT
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.snapshot import Reader, SavedNode, Snapshot, SnapshotId, snapshot_id
from bootstrap.model.spec import NodeRole
from tests.builders import INSTALL, NOW, OTHER_INSTALL

DEMO = ClusterName("demo")
READY = SnapshotId(DEMO, "ready")
KEYS = {"ssh/client": "secret"}


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots", INSTALL, locks=tmp_path / "locks")


def described(name: SnapshotId = READY, created: str = NOW) -> Snapshot:
    return Snapshot(
        cluster=str(name.cluster),
        name=name.name,
        created=created,
        note="ü",
        layout=LAYOUT,
        kubernetes_version="v1.37.2",
        acceleration=Acceleration.EMULATED,
        images={"0123456789abcdef": "0" * 64, "fedcba9876543210": "1" * 64},
        reader=Reader(qemu="7.2.22", processor=""),
        certificates_end=None,
        nodes=[SavedNode(name="worker", role=NodeRole.WORKER, facts={"cpus": "1"})],
        archives=[],
        files={},
    )


def saved(store: SnapshotStore, name: SnapshotId = READY, created: str = NOW) -> Snapshot:
    with store.saving(name, needed_bytes=1) as draft:
        draft.memory("worker").write_text("memory")
        draft.disk("worker").write_text("disk")
        return draft.publish(described(name, created), KEYS)


def test_what_was_published_is_found_as_it_was(store: SnapshotStore, tmp_path: Path) -> None:
    snapshot = saved(store)
    assert set(snapshot.files) == {"worker.memory", "worker.qcow2", "keys.json"}
    again = SnapshotStore(tmp_path / "snapshots", INSTALL, locks=tmp_path / "locks")
    assert again.find(READY) == snapshot
    assert again.list() == again.list(DEMO) == [snapshot]
    assert again.keys(READY) == KEYS
    assert again.files(READY).memory("worker").read_text() == "memory"
    assert again.files(READY).disk("worker").read_text() == "disk"
    again.check(snapshot)


def test_an_archive_of_images_is_one_of_its_files(store: SnapshotStore) -> None:
    """Its name is a hash, so it leads nowhere else."""
    with store.saving(READY, needed_bytes=1) as draft:
        draft.archive(f"{'a' * 64}.tar").write_text("archive")
        snapshot = draft.publish(described(), KEYS)
    assert f"{'a' * 64}.tar" in snapshot.files
    with pytest.raises(ValueError, match="is not the file of an archive"):
        store.files(READY).archive("../x.tar")


def test_snapshots_are_listed_from_old_to_new(store: SnapshotStore) -> None:
    saved(store, SnapshotId(DEMO, "a"), "2030-01-02T00:00:00+00:00")
    saved(store, SnapshotId(DEMO, "b"), "2030-01-01T00:00:00+00:00")
    saved(store, SnapshotId(ClusterName("c"), "c"), NOW)
    assert [str(one.id) for one in store.list()] == ["c/c", "demo/b", "demo/a"]
    assert [one.name for one in store.list(DEMO)] == ["b", "a"]


def test_a_draft_that_is_not_published_leaves_nothing(store: SnapshotStore, tmp_path: Path) -> None:
    def interrupted() -> None:
        with store.saving(READY, needed_bytes=1) as draft:
            draft.memory("worker").write_text("memory")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.list() == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_leaves_is_no_snapshot_and_goes(store: SnapshotStore, tmp_path: Path) -> None:
    """R-02: of a save, and of a deletion."""
    saved(store)
    directory = tmp_path / "snapshots" / "demo"
    shutil.copytree(directory / "ready", directory / ".bootstrap-draft.ready")
    assert [one.name for one in store.list()] == ["ready"]
    store.sweep(DEMO)
    assert sorted(path.name for path in directory.iterdir()) == ["bootstrap-cluster.json", "ready"]


def test_a_deleted_snapshot_leaves_nothing(store: SnapshotStore, tmp_path: Path) -> None:
    saved(store)
    assert store.delete(READY)
    assert not store.delete(READY)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFoundError) as caught:
        store.find(READY)
    assert caught.value.hint == "bootstrap snapshot list"


def test_all_of_a_cluster_go_at_once(store: SnapshotStore) -> None:
    saved(store)
    saved(store, SnapshotId(DEMO, "second"))
    saved(store, SnapshotId(ClusterName("other"), "ready"))
    assert store.delete_all(DEMO)
    assert not store.delete_all(DEMO)
    assert [str(one.id) for one in store.list()] == ["other/ready"]


def test_a_name_is_given_once(store: SnapshotStore) -> None:
    saved(store)
    with pytest.raises(UsageError, match="already"), store.saving(READY, needed_bytes=1):
        pytest.fail("it began")
    assert store.keys(READY) == KEYS


def test_a_full_disk_is_refused_before_anything_is_written(store: SnapshotStore) -> None:
    """R-13."""
    with (
        pytest.raises(HostError, match="too little room"),
        store.saving(READY, needed_bytes=1 << 60),
    ):
        pytest.fail("it began")


def test_everything_is_private(store: SnapshotStore, tmp_path: Path) -> None:
    """SEC-26: memory holds every secret of a cluster."""
    saved(store)
    for path in (tmp_path / "snapshots").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["worker.memory", "worker.qcow2", "keys.json"])
@pytest.mark.parametrize("spoil", [lambda path: path.write_text("other"), Path.unlink])
def test_a_file_that_is_not_what_was_saved_is_found(
    store: SnapshotStore, tmp_path: Path, name: str, spoil: Callable[[Path], object]
) -> None:
    snapshot = saved(store)
    spoil(tmp_path / "snapshots" / "demo" / "ready" / name)
    with pytest.raises(StateError, match=f"damaged: {name}") as caught:
        store.check(snapshot)
    assert caught.value.hint == "bootstrap snapshot delete demo ready"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cluster": "demo"}'])
def test_a_damaged_manifest_is_found_and_can_be_deleted(
    store: SnapshotStore, tmp_path: Path, text: str
) -> None:
    saved(store)
    (tmp_path / "snapshots" / "demo" / "ready" / "manifest.json").write_text(text)
    for look in (lambda: store.find(READY), store.list):
        with pytest.raises(StateError, match=r"damaged: manifest\.json"):
            look()
    assert store.delete(READY)


def test_a_damaged_one_has_a_name_all_the_same(store: SnapshotStore, tmp_path: Path) -> None:
    """`down` names what it leaves, and fails for no manifest."""
    saved(store)
    saved(store, SnapshotId(DEMO, "a"))
    (tmp_path / "snapshots" / "demo" / "ready" / "manifest.json").unlink()
    assert [str(name) for name in store.names(DEMO)] == ["demo/a", "demo/ready"]
    assert store.names(ClusterName("other")) == []


def test_a_copy_under_another_name_is_not_taken_for_it(
    store: SnapshotStore, tmp_path: Path
) -> None:
    saved(store)
    directory = tmp_path / "snapshots" / "demo"
    shutil.copytree(directory / "ready", directory / "copy")
    with pytest.raises(StateError, match="which is that of demo/ready"):
        store.find(SnapshotId(DEMO, "copy"))


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}'])
def test_damaged_keys_are_reported(store: SnapshotStore, tmp_path: Path, text: str) -> None:
    saved(store)
    (tmp_path / "snapshots" / "demo" / "ready" / "keys.json").write_text(text)
    with pytest.raises(StateError, match=r"damaged: keys\.json"):
        store.keys(READY)


def test_another_installs_snapshots_are_neither_listed_nor_touched(
    store: SnapshotStore, tmp_path: Path
) -> None:
    """H-14, G-07."""
    saved(store)
    other = SnapshotStore(tmp_path / "snapshots", OTHER_INSTALL, locks=tmp_path / "locks")
    assert other.list() == other.list(DEMO) == []
    other.sweep(DEMO)
    with pytest.raises(NotOursError):
        other.delete(READY)
    with pytest.raises(NotOursError):
        other.delete_all(DEMO)
    with pytest.raises(NotOursError), other.saving(SnapshotId(DEMO, "x"), needed_bytes=1):
        pytest.fail("it began")
    assert [one.name for one in store.list()] == ["ready"]


@pytest.mark.parametrize("name", ["", "../x", "A", "-x", "a/b", "x" * 41, "a\n", ".bootstrap"])
def test_a_name_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="is not a snapshot name"):
        SnapshotId(DEMO, name)


def test_a_name_is_read_back() -> None:
    assert snapshot_id(str(READY)) == READY
    with pytest.raises(ValueError, match="is not a cluster name"):
        snapshot_id("ready")


def test_the_manifest_holds_no_secret(store: SnapshotStore, tmp_path: Path) -> None:
    """SEC-26: a user may show it to others."""
    saved(store)
    text = (tmp_path / "snapshots" / "demo" / "ready" / "manifest.json").read_text()
    assert json.loads(text)["note"] == "ü"
    assert "secret" not in text
