"""A cluster's products: whole, private, the same again, and gone afterwards."""

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.products.store import StateProducts
from bootstrap.adapters.trust.cluster import ClusterTrust
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.errors import NotOursError
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan
from tests.builders import INSTALL, a_cluster_spec, a_plan
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.shell import FakeShell
from tests.fakes.volumes import FakeVolumes

DEMO = ClusterName("demo")


@dataclass
class Made:
    """The products of one cluster under a state directory of its own."""

    root: Path
    plan: ClusterPlan
    products: StateProducts
    trust: ClusterTrust

    def ensure(self) -> bool:
        return self.products.ensure(self.plan, self.trust)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    root = tmp_path / "state"
    plan = a_plan(state=root, volumes=tmp_path / "volumes")
    store = TrustStore(plan.state_directory)
    return Made(root, plan, StateProducts(root, store, INSTALL), ClusterTrust(store))


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_the_second_time_nothing_is_written(made: Made) -> None:
    """G-19."""
    assert made.ensure()
    kubeconfig = made.products.ensure_kubeconfig(made.plan)
    before = snapshot(made.root)
    assert not made.ensure()
    assert made.products.ensure_kubeconfig(made.plan) == kubeconfig
    assert snapshot(made.root) == before


def test_all_of_it_is_private_whatever_the_umask_is(made: Made) -> None:
    """H-15, G-26, SEC-26."""
    umask = os.umask(0)
    try:
        made.ensure()
        made.products.ensure_kubeconfig(made.plan)
    finally:
        os.umask(umask)
    for path in made.plan.state_directory.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_a_grown_cluster_changes_its_files(made: Made) -> None:
    made.ensure()
    grown = a_plan(a_cluster_spec(workers=2), state=made.root)
    assert made.products.ensure(grown, made.trust)
    hosts = yaml.safe_load((grown.state_directory / "inventory.yml").read_text())
    assert set(hosts["all"]["children"]["workers"]["hosts"]) == {"demo-worker", "demo-worker2"}


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
    document = yaml.safe_load(made.products.ensure_kubeconfig(made.plan).read_text())
    (cluster,), (user,) = document["clusters"], document["users"]
    assert cluster["cluster"]["server"] == made.plan.server
    assert set(user["user"]) == {"client-certificate-data", "client-key-data"}


def test_entries_come_into_the_users_kubeconfig_and_go_again(made: Made) -> None:
    made.ensure()
    own = made.products.ensure_kubeconfig(made.plan)
    merged = made.products.merge_kubeconfig(own, use=False)
    assert merged == Path.home() / ".kube" / "config"
    assert "bootstrap-demo" in merged.read_text()
    assert made.products.remove_kubeconfig_entries(DEMO) == []
    assert not merged.exists()


def test_removal_leaves_nothing_and_is_repeatable(made: Made) -> None:
    made.ensure()
    assert list(made.products.clusters()) == [DEMO]
    assert made.products.remove(DEMO)
    assert list(made.root.iterdir()) == []
    assert not made.products.remove(DEMO)
    assert list(made.products.clusters()) == []


def test_somebody_elses_directory_is_neither_used_nor_removed(made: Made) -> None:
    """SEC-27, G-05: it has a cluster's name and not our marker."""
    foreign = made.root / "demo"
    foreign.mkdir(parents=True, mode=0o700)
    (foreign / "notes").write_text("mine")
    for change in (made.ensure, lambda: made.products.remove(DEMO)):
        with pytest.raises(NotOursError, match="does not carry our marker"):
            change()
    assert [path.name for path in foreign.iterdir()] == ["notes"]


def test_a_directory_that_a_kill_left_without_its_marker_goes(made: Made) -> None:
    """G-03."""
    directory = made.root / "demo"
    directory.mkdir(parents=True, mode=0o700)
    (directory / ".bootstrap-cluster-name.abcdefgh").touch()
    assert made.products.remove(DEMO)
    assert not directory.exists()


def test_whatever_made_the_directory_removal_knows_it(made: Made) -> None:
    made.products.collect_evidence(
        DEMO, [], FakeShell(FakeHypervisor(INSTALL), FakeVolumes(INSTALL))
    )
    assert made.products.remove(DEMO)
    made.trust.node_keys("demo-worker")
    assert made.products.remove(DEMO)


def test_a_linked_state_directory_is_not_followed(made: Made, tmp_path: Path) -> None:
    """H-11."""
    made.ensure()
    moved = tmp_path / "moved"
    shutil.move(made.plan.state_directory, moved)
    made.plan.state_directory.symlink_to(moved)
    assert list(made.products.clusters()) == []
    assert not made.products.remove(DEMO)
    assert (moved / "cluster-name").exists()


def test_a_removal_that_was_killed_before_its_last_step_is_still_found(made: Made) -> None:
    """G-02: the marker is gone, the empty directory is not; a stranger's is let alone."""
    (made.root / "demo").mkdir(parents=True)
    (made.root / "strange").mkdir()
    (made.root / "strange" / "file").touch()
    assert list(made.products.clusters()) == [DEMO]
    assert made.products.remove(DEMO)
    assert list(made.products.clusters()) == []


def test_a_copy_with_another_kind_of_name_is_no_cluster(made: Made) -> None:
    made.ensure()
    shutil.copytree(made.plan.state_directory, made.root / "demo (copy)")
    assert list(made.products.clusters()) == [DEMO]


def test_evidence_is_collected_without_any_state(made: Made) -> None:
    hypervisor, volumes = FakeHypervisor(INSTALL), FakeVolumes(INSTALL)
    shell = FakeShell(hypervisor, volumes)
    place = made.products.collect_evidence(DEMO, made.plan.nodes, shell)
    assert place.is_relative_to(made.root / "demo" / "logs")
    assert "refused" in (place / "demo-worker" / "unreachable.txt").read_text()


def test_collecting_evidence_never_fails(made: Made) -> None:
    made.root.mkdir()
    (made.root / "demo").write_text("a file where a directory should be")
    shell = FakeShell(FakeHypervisor(INSTALL), FakeVolumes(INSTALL))
    place = made.products.collect_evidence(DEMO, made.plan.nodes, shell)
    assert "incomplete" in str(place)
