"""Names come from the local files of this install alone."""

from pathlib import Path
from uuid import UUID

import pytest

from bootstrap.adapters.directories import Directories, ensure_install_id, find_directories
from bootstrap.adapters.known import KnownNames
from bootstrap.adapters.marker import Owner, claim

OTHER = Owner(install_id=UUID(int=7))


@pytest.fixture
def directories() -> Directories:
    """Make a cluster "demo", and one "gone" of which a snapshot is left."""
    found = find_directories()
    own = Owner(install_id=ensure_install_id(found))
    for root, owner in ((found.state, Owner()), (found.volumes, own), (found.snapshots, own)):
        root.mkdir(parents=True, exist_ok=True)
        claim(root / "demo", owner)
    claim(found.snapshots / "gone", own)
    for node in ("worker", "control-plane"):
        (found.volumes / "demo" / node).mkdir()
        (found.volumes / "demo" / node / "root.qcow2").touch()
    (found.volumes / "demo" / "switch").mkdir()
    for place in ("demo/ready", "gone/ready", "demo/.bootstrap-draft.x"):
        (found.snapshots / place).mkdir()
    return found


def test_what_is_there_is_named(directories: Directories) -> None:
    known = KnownNames(directories)
    assert known.clusters() == ["demo"]
    assert known.all_clusters() == ["demo", "gone"]
    assert known.nodes("demo") == ["control-plane", "worker"]
    assert known.snapshots("demo") == ["ready"]
    assert known.all_snapshots() == ["demo/ready", "gone/ready"]


def test_the_runs_of_a_cluster_are_named_the_newest_first(directories: Directories) -> None:
    runs = directories.state / "demo" / "runs"
    runs.mkdir()
    for name in ("1.ndjson", "2.ndjson", ".bootstrap-x"):
        (runs / name).touch()
    assert KnownNames(directories).runs("demo") == ["2", "1"]
    assert KnownNames(directories).runs("gone") == []


def test_a_cluster_whose_local_files_are_lost_is_named(directories: Directories) -> None:
    (directories.state / "demo").rename(directories.state / ".lost")
    assert KnownNames(directories).clusters() == ["demo"]


def test_the_clusters_of_others_are_not(directories: Directories) -> None:
    claim(directories.volumes / "theirs", OTHER)
    claim(directories.snapshots / "theirs", OTHER)
    (directories.state / "empty").mkdir()
    (directories.state / "copy").symlink_to(directories.state / "demo")
    (directories.state / "Demo (old)").mkdir()
    assert KnownNames(directories).all_clusters() == ["demo", "gone"]


def test_loaded_images_are_named(directories: Directories) -> None:
    images = directories.volumes / "demo" / "images"
    images.mkdir()
    (images / "1.json").write_text('[{"name": "b:1", "config": "x"}, {"name": "a:1"}]')
    (images / "2.json").write_text("damaged")
    (images / "3.json").write_text('{"name": 1}')
    (images / "4.json").write_text("[]")
    assert KnownNames(directories).images("demo") == ["a:1", "b:1"]


@pytest.mark.parametrize("cluster", ["../demo", "", "demo/../demo", ".", "none"])
def test_what_is_no_cluster_has_no_names(directories: Directories, cluster: str) -> None:
    known = KnownNames(directories)
    assert [*known.nodes(cluster), *known.snapshots(cluster), *known.images(cluster)] == []


def test_nothing_is_made_and_a_damaged_install_id_hides_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    places = Directories(state=home / "state", cache=home / "cache", volumes=home / "data/volumes")
    assert KnownNames(places).all_clusters() == []
    assert not home.exists()
    places.state.mkdir(parents=True)
    claim(places.state / "demo")
    (places.state / "install-id").write_text("damaged")
    assert KnownNames(places).clusters() == ["demo"]
