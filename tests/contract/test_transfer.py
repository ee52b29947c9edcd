"""`snapshot export` and `import` on fakes with memory, with a real archive in between."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.adapters.image.store import IMAGE_FILES
from bootstrap.errors import NotFoundError, StateError, UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import SnapshotId
from bootstrap.workflow.restoring import clone
from bootstrap.workflow.snapshots import SaveOptions, save
from bootstrap.workflow.transfer import export_snapshot, import_snapshot
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options, ports_with_fakes

READY = SnapshotId(ClusterName("demo"), "ready")
TWIN = ClusterName("twin")


@pytest.fixture
def saved(tmp_path: Path) -> FakeWorld:
    """A cluster with a snapshot, over an image whose files are real."""
    world = ports_with_fakes()
    up(a_cluster_spec(), world.ports, options())
    directory = tmp_path / "images" / world.images.key
    directory.mkdir(parents=True)
    for name in IMAGE_FILES:
        (directory / name).write_text(name)
    built = world.images.built
    built[world.images.key] = replace(built[world.images.key], disk=directory / "disk.raw")
    save(a_cluster_spec(), READY, world.ports, SaveOptions())
    return world


@pytest.fixture
def file(saved: FakeWorld, tmp_path: Path) -> Path:
    target = tmp_path / "ready.tar"
    assert export_snapshot(READY, target, saved.ports).id == READY
    return target


def test_another_host_makes_a_cluster_of_it(file: Path, saved: FakeWorld) -> None:
    other = ports_with_fakes()
    snapshot = import_snapshot(file, other.ports)
    assert snapshot == saved.snapshots.find(READY)
    assert list(other.images.built) == [saved.images.key]
    # What the guests remember is in the file; the fake API server remembers in itself.
    other.api.is_up, other.api.nodes = True, dict(saved.api.nodes)
    made = clone(a_cluster_spec(str(TWIN)), READY, other.ports.cluster(TWIN), share_trust=False)
    assert made.changed == 0


def test_an_image_of_other_bytes_under_the_same_key_is_refused(file: Path) -> None:
    other = ports_with_fakes()
    up(a_cluster_spec(), other.ports, options())
    built, key = other.images.built, other.images.key
    built[key] = replace(built[key], sha256="f" * 64)
    with pytest.raises(StateError, match="of other bytes"):
        import_snapshot(file, other.ports)
    assert other.snapshots.list() == []


def test_a_snapshot_whose_image_is_gone_is_not_exported(saved: FakeWorld, tmp_path: Path) -> None:
    saved.images.built.clear()
    with pytest.raises(StateError, match="is gone") as caught:
        export_snapshot(READY, tmp_path / "x.tar", saved.ports)
    assert caught.value.hint == "bootstrap snapshot delete demo ready"
    assert not (tmp_path / "x.tar").exists()


def test_a_damaged_snapshot_is_not_exported(saved: FakeWorld, tmp_path: Path) -> None:
    saved.snapshots.files(READY).memory("worker").write_text("other")
    with pytest.raises(StateError, match="damaged"):
        export_snapshot(READY, tmp_path / "x.tar", saved.ports)
    assert not (tmp_path / "x.tar").exists()


def test_what_is_not_there_and_what_is_there_already(file: Path, saved: FakeWorld) -> None:
    with pytest.raises(NotFoundError):
        export_snapshot(SnapshotId(READY.cluster, "other"), file, saved.ports)
    with pytest.raises(UsageError, match="exists"):
        export_snapshot(READY, file, saved.ports)
    with pytest.raises(UsageError, match="already"):
        import_snapshot(file, saved.ports)
