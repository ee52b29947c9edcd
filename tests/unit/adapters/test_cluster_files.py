"""A cluster's files: whole, private, the same again, and gone afterwards."""

import os
import shutil
import stat
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.cluster_files import StateFiles
from bootstrap.adapters.evidence import SavedEvidence
from bootstrap.adapters.marker import MARKER
from bootstrap.adapters.trust.cluster import ClusterTrust
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.errors import BootstrapError, NotOursError
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.steps.files import ensure_cluster_files, ensure_kubeconfig
from tests.builders import a_cluster_spec, a_plan, ports_with_fakes

DEMO = ClusterName("demo")


@dataclass
class Made:
    """The files of one cluster under a state directory of its own."""

    root: Path
    plan: ClusterPlan
    files: StateFiles
    ports: Ports

    def ensure(self) -> bool:
        before = snapshot(self.root)
        ensure_cluster_files(self.plan, self.ports)
        return snapshot(self.root) != before

    def kubeconfig(self) -> Path:
        return ensure_kubeconfig(self.plan, self.ports)

    def evidence(self) -> SavedEvidence:
        return SavedEvidence(self.root)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    root = tmp_path / "state"
    plan = a_plan(state=root, volumes=tmp_path / "volumes")
    files, trust = StateFiles(root), ClusterTrust(TrustStore(plan.state_directory))
    ports = ports_with_fakes().ports
    ports.files, ports.trust = files, trust
    return Made(root, plan, files, ports)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_second_time_nothing_is_written(made: Made) -> None:
    """G-19."""
    assert made.ensure()
    kubeconfig = made.kubeconfig()
    before = snapshot(made.root)
    assert not made.ensure()
    assert made.kubeconfig() == kubeconfig
    assert snapshot(made.root) == before


def test_all_of_it_is_private_whatever_the_umask_is(made: Made) -> None:
    """H-15, G-26, SEC-26."""
    umask = os.umask(0)
    try:
        made.ensure()
        made.kubeconfig()
    finally:
        os.umask(umask)
    for path in made.plan.state_directory.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_a_grown_cluster_changes_its_files(made: Made) -> None:
    made.ensure()
    grown = a_plan(a_cluster_spec(workers=2), state=made.root)
    assert replace(made, plan=grown).ensure()
    hosts = yaml.safe_load((grown.state_directory / "inventory.yml").read_text())
    assert set(hosts["all"]["children"]["workers"]["hosts"]) == {"worker", "worker2"}


def test_what_a_killed_run_left_is_swept(made: Made) -> None:
    """M5, I-05."""
    made.ensure()
    left = made.plan.state_directory / ".bootstrap-inventory.yml.12ab_xyz"
    left.write_text("half")
    made.ensure()
    assert not left.exists()


def test_the_kubeconfig_holds_server_ca_and_client_certificate_only(made: Made) -> None:
    """V-06."""
    made.ensure()
    document = yaml.safe_load(made.kubeconfig().read_text())
    (cluster,), (user,) = document["clusters"], document["users"]
    assert cluster["cluster"]["server"] == made.plan.server
    assert set(user["user"]) == {"client-certificate-data", "client-key-data"}


def test_removal_leaves_nothing_and_is_repeatable(made: Made) -> None:
    made.ensure()
    assert list(made.files.clusters()) == [DEMO]
    assert made.files.remove_files(DEMO)
    assert list(made.root.iterdir()) == []
    assert not made.files.remove_files(DEMO)
    assert list(made.files.clusters()) == []


def test_a_directory_of_another_owner_is_neither_used_nor_removed(made: Made) -> None:
    """SEC-27, G-05: it has a cluster's name and not our marker."""
    foreign = made.root / "demo"
    foreign.mkdir(parents=True, mode=0o700)
    (foreign / "notes").write_text("mine")
    for change in (made.ensure, lambda: made.files.remove_files(DEMO)):
        with pytest.raises(NotOursError, match="is not ours") as caught:
            change()
        assert caught.value.details == "It does not carry our marker. It holds: notes."
    assert [path.name for path in foreign.iterdir()] == ["notes"]


def test_a_directory_that_a_kill_left_without_its_marker_goes(made: Made) -> None:
    """G-03."""
    directory = made.root / "demo"
    directory.mkdir(parents=True, mode=0o700)
    (directory / f".bootstrap-{MARKER}.abcdefgh").touch()
    assert made.files.remove_files(DEMO)
    assert not directory.exists()


def test_whatever_made_the_directory_removal_knows_it(made: Made) -> None:
    made.evidence().save(DEMO, {})
    assert made.files.remove_files(DEMO)
    made.ports.trust.node_keys("worker")
    assert made.files.remove_files(DEMO)


def test_a_linked_state_directory_is_not_followed(made: Made, tmp_path: Path) -> None:
    """H-11."""
    made.ensure()
    moved = tmp_path / "moved"
    shutil.move(made.plan.state_directory, moved)
    made.plan.state_directory.symlink_to(moved)
    assert list(made.files.clusters()) == []
    assert not made.files.remove_files(DEMO)
    assert (moved / MARKER).exists()


def test_a_removal_that_was_killed_before_its_last_step_is_still_found(made: Made) -> None:
    """G-02: the marker is gone, the empty directory is not; another user's is left alone."""
    (made.root / "demo").mkdir(parents=True)
    (made.root / "strange").mkdir()
    (made.root / "strange" / "file").touch()
    assert list(made.files.clusters()) == [DEMO]
    assert made.files.remove_files(DEMO)
    assert list(made.files.clusters()) == []


def test_a_copy_with_another_kind_of_name_is_no_cluster(made: Made) -> None:
    made.ensure()
    shutil.copytree(made.plan.state_directory, made.root / "demo (copy)")
    assert list(made.files.clusters()) == [DEMO]


def test_evidence_is_saved_without_any_state(made: Made) -> None:
    place = made.evidence().save(DEMO, {"manifest.json": "{}"})
    assert place.parent == made.root / "demo" / "logs"


def test_evidence_that_cannot_be_saved_is_an_error_of_ours(made: Made) -> None:
    made.root.mkdir()
    (made.root / "demo").write_text("a file where a directory should be")
    with pytest.raises(BootstrapError, match="is not ours"):
        made.evidence().save(DEMO, {})
