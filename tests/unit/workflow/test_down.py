"""`down` on fakes with memory: whatever is there goes, whatever is missing already."""

from uuid import UUID

import pytest

from bootstrap.errors import BootstrapError, LockedError, NotOursError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.down import DownResult, down
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options, ports_with_fakes
from tests.fakes.hypervisor import Defined
from tests.fakes.volumes import Held

DEMO = ClusterName("demo")
CONTROL_PLANE, WORKER, SWITCH = "demo-control-plane", "demo-worker", "demo-switch"
NOTHING = DownResult(domains=(), volumes=False, state=False, kept=())


def make(world: FakeWorld, name: str = "demo") -> None:
    up(a_cluster_spec(name), world.ports, options())


def left(world: FakeWorld) -> list[object]:
    """List everything that a cluster has left anywhere."""
    return [
        *(domain.name for domain in world.hypervisor.domains_by_uuid.values()),
        *world.volumes.held,
        *world.files.files,
        *world.kubeconfig.merged,
    ]


def test_everything_goes_and_is_named(world: FakeWorld) -> None:
    make(world)
    assert down(DEMO, world.ports) == DownResult(
        domains=(CONTROL_PLANE, SWITCH, WORKER), volumes=True, state=True, kept=()
    )
    assert left(world) == []


def test_nothing_is_nothing(world: FakeWorld) -> None:
    """Z-05."""
    assert down(DEMO, world.ports) == NOTHING
    make(world)
    down(DEMO, world.ports)
    world.journal.clear()
    assert down(DEMO, world.ports) == NOTHING
    assert world.journal.changes == []


def test_what_a_killed_build_left_goes_too(world: FakeWorld) -> None:
    """R-07: after a first `up` that failed, `down` frees the disk."""
    world.images.half_built = True
    assert down(DEMO, world.ports) == NOTHING
    assert not world.images.half_built


def test_after_down_comes_up(world: FakeWorld) -> None:
    """Z-08."""
    make(world)
    down(DEMO, world.ports)
    world.api.nodes.clear()
    make(world)
    assert set(world.api.nodes) == {"control-plane", "worker"}


def test_other_clusters_and_other_peoples_domains_stay(world: FakeWorld) -> None:
    """Z-01, G-05."""
    make(world, "other")
    foreign = Defined("demo-worker-db", UUID(int=7))
    world.hypervisor.domains_by_uuid[foreign.uuid] = foreign
    before = sorted(map(str, left(world)))
    world.api.nodes.clear()
    make(world)
    down(DEMO, world.ports)
    assert sorted(map(str, left(world))) == before


def test_down_works_without_any_local_file(world: FakeWorld) -> None:
    """L-03, Z-09."""
    make(world)
    world.files.lose()
    world.trust.lose()
    result = down(DEMO, world.ports)
    assert (result.domains, result.state) == ((CONTROL_PLANE, SWITCH, WORKER), False)
    assert left(world) == []


def test_a_lost_marker_is_put_back_before_its_proof_is_removed(world: FakeWorld) -> None:
    """R-15, Z-09: then `down` ends well, where it would have refused for good."""
    make(world)
    world.volumes.held["demo"].owner = None
    world.files.unmarked.add("demo")
    result = down(DEMO, world.ports)
    assert (result.volumes, result.state) == (True, True)
    assert left(world) == []


def test_down_finishes_whatever_up_has_begun(world: FakeWorld) -> None:
    """G-01, L-02, Z-03: after a kill behind each change of `up`."""
    make(world)
    for number in range(1, len(world.journal.changes) + 1):
        fresh = ports_with_fakes()
        fresh.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            make(fresh)
        fresh.journal.killed_after = None
        down(DEMO, fresh.ports)
        assert left(fresh) == []


def test_a_down_that_was_killed_is_finished_by_the_next(world: FakeWorld) -> None:
    """G-03."""
    make(world)
    world.journal.clear()
    down(DEMO, world.ports)
    for number in range(1, len(world.journal.changes) + 1):
        fresh = ports_with_fakes()
        make(fresh)
        fresh.journal.clear()
        fresh.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            down(DEMO, fresh.ports)
        fresh.journal.killed_after = None
        down(DEMO, fresh.ports)
        assert left(fresh) == []


def test_down_goes_on_after_a_failure_and_tells_all_of_them(world: FakeWorld) -> None:
    """Z-07."""
    make(world)
    failures = world.journal.failures
    failures[f"hypervisor.remove_domain {CONTROL_PLANE}"] = BootstrapError("Domain is busy.")
    failures["kubeconfig.remove_entries"] = LockedError("Locked.", details="by pid 7")
    with pytest.raises(BootstrapError) as caught:
        down(DEMO, world.ports)
    assert caught.value.message == "Cluster 'demo' was not removed completely."
    assert caught.value.details.splitlines() == ["Domain is busy.", "Locked. by pid 7"]
    assert caught.value.hint == "bootstrap down demo"
    assert left(world) == [CONTROL_PLANE, "demo", "demo", "demo"]
    failures.clear()
    down(DEMO, world.ports)
    assert left(world) == []


def test_the_disks_of_a_machine_that_could_not_be_removed_stay(world: FakeWorld) -> None:
    """Z-06, L-08: it may still run, and writes into files that nothing names any more."""
    make(world)
    failure = BootstrapError("Domain is busy.")
    world.journal.failures[f"hypervisor.remove_domain {WORKER}"] = failure
    with pytest.raises(BootstrapError, match="Domain is busy"):
        down(DEMO, world.ports)
    assert "demo" in world.volumes.held


def test_one_failure_is_told_as_it_is(world: FakeWorld) -> None:
    make(world)
    world.journal.failures["kubeconfig.remove_entries"] = LockedError("Locked.")
    with pytest.raises(LockedError, match=r"^Locked\.$"):
        down(DEMO, world.ports)


def test_the_keys_stay_while_something_is_left(world: FakeWorld) -> None:
    """Z-06."""
    make(world)
    world.journal.failures["volumes.remove_cluster"] = BootstrapError("Disk is busy.")
    with pytest.raises(BootstrapError):
        down(DEMO, world.ports)
    assert "demo" in world.files.files


def test_a_hypervisor_that_does_not_answer_ends_it_before_anything_is_removed(
    world: FakeWorld,
) -> None:
    """Z-06."""
    make(world)
    world.journal.clear()
    world.journal.failures["hypervisor.domains"] = BootstrapError("Could not reach libvirt.")
    with pytest.raises(BootstrapError, match="reach libvirt"):
        down(DEMO, world.ports)
    assert world.journal.changes == []


def test_a_foreign_directory_is_told_and_the_rest_goes(world: FakeWorld) -> None:
    make(world)
    world.volumes.held["demo"] = Held(owner=None)
    with pytest.raises(NotOursError):
        down(DEMO, world.ports)
    assert left(world) == ["demo", "demo"]


def test_what_the_user_changed_is_told(world: FakeWorld) -> None:
    """H-19."""
    make(world)
    world.kubeconfig.kept.append("cluster 'bootstrap-demo'")
    assert down(DEMO, world.ports).kept == ("cluster 'bootstrap-demo'",)


def _come_back(world: FakeWorld, monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let another client define the worker again, right after we removed it."""
    remove, left = world.hypervisor.remove_domain, [times]

    def removed(unique: UUID) -> bool:
        domain = world.hypervisor.domains_by_uuid[unique]
        done = remove(unique)
        if domain.name == WORKER and left[0]:
            left[0] -= 1
            world.hypervisor.domains_by_uuid[unique] = domain
        return done

    monkeypatch.setattr(world.hypervisor, "remove_domain", removed)


def test_a_domain_that_is_defined_again_meanwhile_goes_too(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-12: both of libvirt's lists are read again before the report."""
    make(world)
    _come_back(world, monkeypatch, times=1)
    assert down(DEMO, world.ports).domains == (CONTROL_PLANE, SWITCH, WORKER)
    assert left(world) == []


def test_a_domain_that_always_comes_back_is_told_and_the_keys_stay(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-12."""
    make(world)
    _come_back(world, monkeypatch, times=1000)
    with pytest.raises(BootstrapError, match="come back") as caught:
        down(DEMO, world.ports)
    assert WORKER in caught.value.details
    assert caught.value.hint == "bootstrap status demo"
    assert "demo" in world.files.files
