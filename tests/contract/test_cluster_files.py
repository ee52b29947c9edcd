"""Files, kubeconfig and evidence: the fakes and real files do the same."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from bootstrap.adapters.cluster_files import StateFiles
from bootstrap.adapters.evidence import SavedEvidence
from bootstrap.adapters.kubeconfig.adapter import KubeconfigFiles
from bootstrap.adapters.marker import MARKER
from bootstrap.errors import NotOursError, StateError, UsageError
from bootstrap.model.keys import ClusterKeys
from bootstrap.model.names import ClusterName, kubeconfig_entry
from bootstrap.model.plan import ClusterPlan
from bootstrap.planning.cluster_files import cluster_files, kubeconfig_file
from bootstrap.ports import ClusterFiles, Evidence, UserKubeconfig
from tests.builders import INSTALL, a_cluster_spec, a_plan
from tests.fakes.cluster_files import FakeClusterFiles, FakeEvidence, FakeUserKubeconfig
from tests.fakes.trust import FakeTrust

DEMO = ClusterName("demo")


class Place(Protocol):
    """This user's state directory and kubeconfig, fake or real."""

    root: Path

    @property
    def files(self) -> ClusterFiles:
        """Return the adapter, as a new run builds it."""

    @property
    def kubeconfig(self) -> UserKubeconfig:
        """Return the adapter, as a new run builds it."""

    @property
    def evidence(self) -> Evidence:
        """Return the adapter, as a new run builds it."""

    def entries(self) -> set[str]:
        """Name the clusters whose context the user's kubeconfig has."""

    def current(self) -> str | None:
        """Name the cluster of the user's current context."""

    def change_by_hand(self, cluster: str) -> None:
        """Change the cluster's server in the user's kubeconfig, as its user might."""

    def add_foreign(self, cluster: str) -> None:
        """Add another owner's entries of the same name to the user's kubeconfig."""

    def lose_marker(self, cluster: str) -> None:
        """Remove the marker of the cluster's state directory."""


class FakePlace:
    root = Path("/state")

    def __init__(self) -> None:
        self._files = FakeClusterFiles()
        self._kubeconfig = FakeUserKubeconfig()
        self._evidence = FakeEvidence(self._files)

    @property
    def files(self) -> ClusterFiles:
        return self._files

    @property
    def kubeconfig(self) -> UserKubeconfig:
        return self._kubeconfig

    @property
    def evidence(self) -> Evidence:
        return self._evidence

    def entries(self) -> set[str]:
        return self._kubeconfig.merged | self._kubeconfig.foreign

    def current(self) -> str | None:
        return self._kubeconfig.current

    def change_by_hand(self, cluster: str) -> None:
        self._kubeconfig.kept.append(f"cluster '{kubeconfig_entry(ClusterName(cluster))}'")

    def add_foreign(self, cluster: str) -> None:
        self._kubeconfig.foreign.add(cluster)

    def lose_marker(self, cluster: str) -> None:
        self._files.unmarked.add(cluster)


class RealPlace:
    def __init__(self, directory: Path) -> None:
        self.root = directory / "state"
        self._file = Path.home() / ".kube" / "config"

    @property
    def files(self) -> ClusterFiles:
        return StateFiles(self.root)

    @property
    def kubeconfig(self) -> UserKubeconfig:
        return KubeconfigFiles(INSTALL)

    @property
    def evidence(self) -> Evidence:
        return SavedEvidence(self.root)

    def _document(self) -> dict[str, Any]:
        content = yaml.safe_load(self._file.read_text()) if self._file.exists() else None
        return content or {}

    def entries(self) -> set[str]:
        names = [str(entry["name"]) for entry in self._document().get("contexts", [])]
        return {name.removeprefix("bootstrap-") for name in names}

    def current(self) -> str | None:
        named = str(self._document().get("current-context") or "")
        return named.removeprefix("bootstrap-") or None

    def change_by_hand(self, cluster: str) -> None:
        document = self._document()
        (entry,) = (e for e in document["clusters"] if e["name"] == f"bootstrap-{cluster}")
        entry["cluster"]["server"] = "https://127.0.0.1:1"
        self._file.write_text(yaml.safe_dump(document))

    def add_foreign(self, cluster: str) -> None:
        name = kubeconfig_entry(ClusterName(cluster))
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": "https://example.invalid"}}],
            "users": [{"name": name, "user": {"token": "theirs"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(yaml.safe_dump(document))

    def lose_marker(self, cluster: str) -> None:
        (self.root / cluster / MARKER).unlink()


@pytest.fixture(params=["fake", "files"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace(tmp_path)


@pytest.fixture
def real(tmp_path: Path) -> RealPlace:
    return RealPlace(tmp_path)


def plan_of(place: Place, name: str = "demo", *, workers: int = 1) -> ClusterPlan:
    spec = a_cluster_spec(name, workers=workers)
    return a_plan(spec, state=place.root, volumes=place.root / "volumes")


def keys_of(plan: ClusterPlan, trust: FakeTrust) -> ClusterKeys:
    return ClusterKeys(
        certificates=trust.certificates(),
        encryption_key=None,
        host_keys={node.name: trust.node_keys(node.name).host_public_key for node in plan.nodes},
        client_key_file=trust.client_key_file(),
        user=trust.user_certificate(plan.name),
    )


def write(place: Place, plan: ClusterPlan, trust: FakeTrust | None = None) -> bool:
    files = cluster_files(plan, keys_of(plan, trust or FakeTrust()))
    return place.files.ensure_files(plan.name, files)


def own_kubeconfig(place: Place, plan: ClusterPlan) -> Path:
    place.files.ensure_files(plan.name, kubeconfig_file(plan, keys_of(plan, FakeTrust())))
    return plan.state_directory / "kubeconfig"


def merge(place: Place, name: str = "demo", *, use: bool = False) -> Path:
    plan = plan_of(place, name)
    write(place, plan)
    return place.kubeconfig.ensure_entries(own_kubeconfig(place, plan), use=use)


def test_files_are_written_once(place: Place) -> None:
    plan, trust = plan_of(place), FakeTrust()
    assert write(place, plan, trust)
    assert not write(place, plan, trust)


def test_another_plan_or_another_authority_changes_the_files(place: Place) -> None:
    trust = FakeTrust()
    write(place, plan_of(place), trust)
    assert write(place, plan_of(place, workers=2), trust)
    assert not write(place, plan_of(place, workers=2), trust)
    trust.lose()
    assert write(place, plan_of(place, workers=2), trust)


def test_clusters_are_named_by_name(place: Place) -> None:
    assert list(place.files.clusters()) == []
    for name in ("demo", "another", "demo-2"):
        write(place, plan_of(place, name))
    named = [str(name) for name in place.files.clusters()]
    assert named == ["another", "demo", "demo-2"]


def test_the_kubeconfig_is_the_clusters_own_and_stays_where_it_is(place: Place) -> None:
    plan = plan_of(place)
    write(place, plan)
    path = own_kubeconfig(place, plan)
    assert path == plan.state_directory / "kubeconfig"
    assert own_kubeconfig(place, plan) == path
    assert place.entries() == set()


def test_merging_twice_is_merging_once(place: Place) -> None:
    first = merge(place)
    assert place.entries() == {"demo"}
    assert merge(place) == first
    assert place.entries() == {"demo"}


def test_merging_keeps_the_current_context_unless_it_is_to_be_used(place: Place) -> None:
    """H-18: only a user who has none gets one unasked."""
    merge(place)
    assert place.current() == "demo"
    merge(place, "another")
    assert place.current() == "demo"
    merge(place, "another", use=True)
    assert place.current() == "another"
    merge(place)
    assert place.current() == "another"


def test_entries_of_another_of_the_same_name_are_refused_and_kept(place: Place) -> None:
    """H-17."""
    place.kubeconfig.check(DEMO)
    place.add_foreign("demo")
    for refused in (lambda: place.kubeconfig.check(DEMO), lambda: merge(place)):
        with pytest.raises(NotOursError) as caught:
            refused()
        assert caught.value.exit_code == 7
        assert caught.value.hint
    place.kubeconfig.check(ClusterName("another"))
    place.kubeconfig.remove_entries(DEMO)
    assert place.entries() == {"demo"}


def test_our_own_entries_are_no_conflict(place: Place) -> None:
    merge(place)
    place.kubeconfig.check(DEMO)


def test_removal_takes_our_entries_and_the_current_context_with_them(place: Place) -> None:
    merge(place, use=True)
    merge(place, "another")
    assert list(place.kubeconfig.remove_entries(DEMO)) == []
    assert place.entries() == {"another"}
    assert place.current() is None
    assert list(place.kubeconfig.remove_entries(DEMO)) == []


def test_removal_keeps_a_current_context_that_is_another_clusters(place: Place) -> None:
    merge(place)
    merge(place, "another", use=True)
    place.kubeconfig.remove_entries(DEMO)
    assert place.current() == "another"


def test_removing_entries_that_were_never_merged_does_nothing(place: Place) -> None:
    assert list(place.kubeconfig.remove_entries(DEMO)) == []
    assert place.entries() == set()


def test_an_entry_that_the_user_changed_is_named_when_it_is_left(place: Place) -> None:
    """H-19."""
    merge(place)
    place.change_by_hand("demo")
    (kept,) = place.kubeconfig.remove_entries(DEMO)
    assert "cluster 'bootstrap-demo'" in kept


def test_a_file_is_found_and_read_until_it_is_gone(place: Place) -> None:
    """R-15."""
    assert place.files.find(DEMO, "inventory.yml") is None
    with pytest.raises(StateError):
        place.files.read(DEMO, "inventory.yml")
    plan = plan_of(place)
    write(place, plan)
    assert place.files.find(DEMO, "inventory.yml") == plan.state_directory / "inventory.yml"
    assert "control_planes" in place.files.read(DEMO, "inventory.yml")
    assert place.files.find(DEMO, "nodes") is None
    place.files.remove_files(DEMO)
    assert place.files.find(DEMO, "inventory.yml") is None


def test_one_file_is_removed_and_the_others_stay(place: Place) -> None:
    plan = plan_of(place)
    write(place, plan)
    assert place.files.remove_file(DEMO, "nodes/worker.files")
    assert not place.files.remove_file(DEMO, "nodes/worker.files")
    assert place.files.find(DEMO, "nodes/worker.files") is None
    assert place.files.find(DEMO, "nodes/control-plane.files")
    assert not place.files.remove_file(ClusterName("another"), "inventory.yml")
    place.lose_marker("demo")
    with pytest.raises(NotOursError):
        place.files.remove_file(DEMO, "inventory.yml")
    assert place.files.find(DEMO, "inventory.yml")


def test_removal_is_repeatable_and_a_new_cluster_starts_afresh(place: Place) -> None:
    """C-05, Z-08."""
    plan, trust = plan_of(place), FakeTrust()
    write(place, plan, trust)
    assert place.files.remove_files(DEMO)
    assert not place.files.remove_files(DEMO)
    assert list(place.files.clusters()) == []
    assert write(place, plan, trust)


def test_a_directory_without_its_marker_stays_until_that_is_put_back(place: Place) -> None:
    """R-15, L-03."""
    write(place, plan_of(place))
    assert not place.files.restore_marker(DEMO)
    place.lose_marker("demo")
    with pytest.raises(NotOursError):
        place.files.remove_files(DEMO)
    assert place.files.restore_marker(DEMO)
    assert not place.files.restore_marker(DEMO)
    assert place.files.remove_files(DEMO)
    assert not place.files.restore_marker(DEMO)


def test_removing_one_clusters_files_keeps_the_others(place: Place) -> None:
    for name in ("demo", "demo-2"):
        write(place, plan_of(place, name))
    place.files.remove_files(DEMO)
    assert list(place.files.clusters()) == [ClusterName("demo-2")]


def test_removal_of_the_files_leaves_the_users_kubeconfig(place: Place) -> None:
    merge(place)
    place.files.remove_files(DEMO)
    assert place.entries() == {"demo"}


def test_evidence_is_in_the_state_directory_and_goes_with_it(place: Place) -> None:
    """It is saved while another error is on its way, maybe before anything else."""
    where = place.evidence.save(DEMO, {"manifest.json": "{}"})
    assert where.parent == place.root / "demo" / "logs"
    assert place.files.remove_files(DEMO)
    assert not place.files.remove_files(DEMO)


def test_evidence_goes_where_the_user_wants_it_unless_a_file_is_there(
    place: Place, tmp_path: Path
) -> None:
    target = tmp_path / "all.tar.gz"
    assert place.evidence.save(DEMO, {"a": "b"}, target=target) == target
    with pytest.raises(UsageError, match="exists already"):
        place.evidence.save(DEMO, {"a": "c"}, target=target)
    assert not place.files.remove_files(DEMO)


def test_the_files_of_a_directory_are_named(place: Place) -> None:
    place.files.ensure_files(DEMO, {"runs/b.ndjson": "", "runs/a.ndjson": "", "kubeconfig": ""})
    assert place.files.names(DEMO, "runs") == ["runs/a.ndjson", "runs/b.ndjson"]
    assert place.files.names(DEMO, "logs") == []
    assert place.files.names(ClusterName("other"), "runs") == []


def test_every_file_is_private_whatever_the_umask_is(real: RealPlace) -> None:
    """H-21, G-26."""
    old = os.umask(0)
    try:
        merge(real)
    finally:
        os.umask(old)
    found = list((real.root / "demo").rglob("*"))
    assert len(found) > 8
    for path in found:
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_kubeconfig_of_a_plan_whose_port_moved_follows_it(real: RealPlace) -> None:
    plan = plan_of(real)
    node = replace(plan.nodes[0], api_port=30999)
    moved = replace(plan, nodes=(node, *plan.nodes[1:]))
    own_kubeconfig(real, plan)
    text = own_kubeconfig(real, moved).read_text()
    assert "https://127.0.0.1:30999" in text


def test_a_file_that_cannot_be_read_is_damaged_state(real: RealPlace) -> None:
    """R-15."""
    write(real, plan_of(real))
    (real.root / "demo" / "inventory.yml").write_bytes(b"\xff\xfe")
    for name in ("inventory.yml", "gone.yml"):
        with pytest.raises(StateError, match="Could not read file"):
            real.files.read(DEMO, name)
