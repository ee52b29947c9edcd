"""What the Volumes port does for snapshots: the fake and files do the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.adapters.volumes.inspection import backing_file
from bootstrap.errors import BootstrapError, NotOursError, StateError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan
from bootstrap.model.snapshot import Origin
from bootstrap.ports import Volumes
from tests.builders import a_cluster_spec, a_mark, a_plan
from tests.contract.test_volumes import (
    DEMO,
    SEED,
    FakePlace,
    Place,
    RealPlace,
    fill,
    needs_qemu_img,
)

TWIN = ClusterName("twin")
READY = Origin(snapshot="demo/ready", is_complete=False)


@pytest.fixture(params=["fake", pytest.param("files", marks=needs_qemu_img)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace(tmp_path)


def of_cluster(place: Place, name: ClusterName) -> tuple[NodePlan, Domain]:
    """Return a worker, planned and as its domain."""
    plan = a_plan(a_cluster_spec(str(name)), volumes=place.root)
    node = plan.workers[0]
    domain = Domain(
        domain_name=node.domain_name,
        uuid=node.uuid,
        state=DomainState.PAUSED,
        reason="",
        is_emulated=True,
        mark=a_mark(plan, node),
    )
    return node, domain


def content(place: Place, volumes: Volumes, name: ClusterName, target: Path) -> bytes:
    """Return what a node's disk holds, by saving it."""
    volumes.save_disk(of_cluster(place, name)[1], target)
    return target.read_bytes()


def test_a_disk_is_saved_and_used_by_another_cluster(place: Place, tmp_path: Path) -> None:
    fill(place)
    volumes, (_, domain) = place.volumes(), of_cluster(place, DEMO)
    assert volumes.disk_bytes(domain) > 0
    saved = tmp_path / "worker.qcow2"
    volumes.save_disk(domain, saved)
    node, _ = of_cluster(place, TWIN)
    volumes.stage_disk(TWIN, node.name, saved)
    volumes.use_staged_disk(node, image=place.image)
    assert content(place, volumes, TWIN, tmp_path / "of-twin") == saved.read_bytes()
    if not isinstance(place, FakePlace):
        assert not (place.root / "twin" / "staged disks").exists()
    assert volumes.ensure_seed_volume(node, SEED)
    assert set(volumes.clusters()) == {DEMO, TWIN}
    assert volumes.remove_cluster(TWIN)


def test_a_staged_disk_changes_nothing_before_it_is_used(place: Place, tmp_path: Path) -> None:
    """R-02: a run may be killed in between, and stages again."""
    fill(place)
    volumes = place.volumes()
    before = content(place, volumes, DEMO, tmp_path / "before")
    fill(place, "other")
    other = tmp_path / "other"
    content(place, volumes, ClusterName("other"), other)
    other.write_bytes(before + b" ")
    for _ in range(2):
        volumes.stage_disk(DEMO, "worker", other)
    assert content(place, volumes, DEMO, tmp_path / "after") == before
    if not isinstance(place, FakePlace):
        volumes.use_staged_disk(of_cluster(place, DEMO)[0], image=place.image)
        assert content(place, volumes, DEMO, tmp_path / "used") == before + b" "


def test_an_origin_is_remembered_and_goes_with_the_cluster(place: Place) -> None:
    volumes = place.volumes()
    assert volumes.origin(DEMO) is None
    volumes.write_origin(DEMO, READY)
    assert place.volumes().origin(DEMO) == READY
    volumes.write_origin(DEMO, replace(READY, is_complete=True))
    assert volumes.origin(DEMO) == replace(READY, is_complete=True)
    volumes.remove_cluster(DEMO)
    assert volumes.origin(DEMO) is None


def test_nothing_is_written_where_it_is_not_ours(place: Place, tmp_path: Path) -> None:
    """H-14."""
    place.make_foreign("twin")
    saved = tmp_path / "saved"
    saved.write_text("{}")
    with pytest.raises(NotOursError):
        place.volumes().stage_disk(TWIN, "worker", saved)
    with pytest.raises(NotOursError):
        place.volumes().write_origin(TWIN, READY)


def test_a_name_that_is_no_nodes_is_refused(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a node's name"):
        place.volumes().stage_disk(DEMO, "../x", tmp_path)


@needs_qemu_img
@pytest.mark.parametrize("text", ["", "[]", '{"snapshot": "a/b"}'])
def test_a_damaged_origin_is_reported(tmp_path: Path, text: str) -> None:
    place = RealPlace(tmp_path)
    volumes = place.volumes()
    volumes.write_origin(DEMO, READY)
    (place.root / "demo" / "origin.json").write_text(text)
    with pytest.raises(StateError, match="damaged") as caught:
        volumes.origin(DEMO)
    assert caught.value.hint == "bootstrap down demo"


@needs_qemu_img
def test_a_copy_that_fails_leaves_no_part_of_a_disk(tmp_path: Path) -> None:
    place = RealPlace(tmp_path)
    fill(place)
    with pytest.raises(BootstrapError, match="Could not copy"):
        place.volumes().stage_disk(DEMO, "worker", tmp_path / "gone")
    assert list((place.root / "demo" / "staged disks").iterdir()) == []


@needs_qemu_img
def test_a_disk_of_another_host_is_laid_over_the_image_here(tmp_path: Path) -> None:
    place = RealPlace(tmp_path)
    fill(place)
    volumes, saved = place.volumes(), tmp_path / "worker.qcow2"
    volumes.save_disk(of_cluster(place, DEMO)[1], saved)
    elsewhere = tmp_path / "elsewhere" / place.image.disk.parent.name
    elsewhere.mkdir(parents=True)
    image = replace(place.image, disk=elsewhere / "disk.raw")
    image.disk.write_bytes(place.image.disk.read_bytes())
    node, _ = of_cluster(place, TWIN)
    volumes.stage_disk(TWIN, node.name, saved)
    volumes.use_staged_disk(node, image=image)
    assert backing_file(node.root_volume) == image.disk
