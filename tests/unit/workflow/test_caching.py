"""`up --cached` on fakes with memory: a miss makes and saves, a hit clones."""

from dataclasses import replace

import pytest

from bootstrap.errors import BootstrapError, NotFoundError, StateError, UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import Origin
from bootstrap.model.sources import Source
from bootstrap.model.spec import ClusterSpec, SecurityProfile
from bootstrap.workflow import caching
from bootstrap.workflow.caching import CACHE, CachedResult, cached_snapshot, up_cached
from bootstrap.workflow.restoring import reset
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options


def cached(
    world: FakeWorld, name: str = "demo", spec: ClusterSpec | None = None, *, share: bool = False
) -> CachedResult:
    spec = replace(spec or a_cluster_spec(), name=ClusterName(name))
    ports = world.ports.cluster(spec.name)
    return up_cached(spec, ports, options(), share_trust=share)


def strict() -> ClusterSpec:
    spec = a_cluster_spec()
    return replace(spec, security=replace(spec.security, profile=SecurityProfile.STRICT))


def test_a_miss_is_saved_and_a_hit_is_a_clone_of_it(world: FakeWorld) -> None:
    first, second = cached(world, "a"), cached(world, "b")
    assert (first.is_clone, second.is_clone) == (False, True)
    assert first.snapshot == second.snapshot
    assert first.snapshot in [one.id for one in world.snapshots.list(CACHE)]
    assert second.verified.plan.name == ClusterName("b")
    assert any("made it" in note for note in world.events.notes)
    assert any("Cloning snapshot 'cached/" in note for note in world.events.notes)


def test_the_snapshot_has_its_name_before_it_is_made(world: FakeWorld) -> None:
    spec = a_cluster_spec("a")
    ports = world.ports.cluster(spec.name)
    with pytest.raises(NotFoundError, match="not built") as caught:
        cached_snapshot(spec, ports)
    hint = "bootstrap image build --kubernetes-version v1.37.2 --kubelet-version v1.37.2 --source"
    assert caught.value.hint == f"{hint} auto"
    with pytest.raises(NotFoundError) as caught:
        cached_snapshot(replace(spec, source=Source.GO), ports)
    assert caught.value.hint == f"{hint} go"
    assert world.images.asked_source is Source.GO
    ports.images.ensure(spec.kubernetes_version)
    world.journal.clear()
    before = cached_snapshot(spec, ports)
    assert world.journal.changes == []
    assert cached(world, "a").snapshot == before.snapshot
    assert cached_snapshot(spec, ports) == replace(before, is_saved=True)
    assert not before.is_saved


@pytest.mark.parametrize(
    "other",
    [
        a_cluster_spec(workers=2),
        replace(
            a_cluster_spec(), networking=replace(a_cluster_spec().networking, host_access=True)
        ),
    ],
)
def test_another_cluster_is_another_snapshot(world: FakeWorld, other: ClusterSpec) -> None:
    first = cached(world, "a")
    second = cached(world, "b", other)
    assert not second.is_clone
    assert first.snapshot != second.snapshot


def test_a_name_and_a_port_make_no_difference(world: FakeWorld) -> None:
    spec = a_cluster_spec()
    cached(world, "a", spec)
    ported = replace(spec, networking=replace(spec.networking, api_server_port=16443))
    assert cached(world, "b", ported).is_clone


@pytest.mark.parametrize("what", ["image", "qemu", "tool"])
def test_what_a_cluster_is_made_with_makes_a_difference(
    world: FakeWorld, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(world, "a")
    match what:
        case "image":
            world.images.key = "fedcba9876543210"
        case "qemu":
            world.hypervisor.qemu = "8.0.0"
        case _:
            monkeypatch.setattr(caching, "tool_digest", lambda: "another")
    assert not cached(world, "b").is_clone


def test_a_cluster_that_exists_is_treated_as_by_up(world: FakeWorld) -> None:
    up(a_cluster_spec(), world.ports, options())
    result = cached(world)
    assert (result.is_clone, result.snapshot, result.verified.changed) == (False, None, 0)
    assert world.snapshots.list() == []


def test_a_clone_that_was_killed_goes_on(world: FakeWorld) -> None:
    """R-02."""
    cached(world, "a")
    world.journal.failures["volumes.write_origin b"] = BootstrapError("broken")
    with pytest.raises(BootstrapError, match="broken"):
        cached(world, "b")
    world.journal.failures.clear()
    assert cached(world, "b").is_clone
    for number in range(1, 12):
        world.ports.cluster(ClusterName("b"))
        world.journal.clear()
        world.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            cached(world, f"c{number}")
        world.journal.killed_after = None
        assert cached(world, f"c{number}").verified.checks


def test_the_first_one_can_be_reset_too(world: FakeWorld) -> None:
    first = cached(world, "a")
    reset(a_cluster_spec("a"), world.ports.cluster(ClusterName("a")))
    assert world.volumes.origin(ClusterName("a")) == Origin(
        snapshot=str(first.snapshot), is_complete=True
    )


def test_a_strict_cluster_is_cached_only_if_trust_may_be_shared(world: FakeWorld) -> None:
    with pytest.raises(UsageError, match="strict") as caught:
        cached(world, spec=strict())
    assert caught.value.hint == "bootstrap up demo --cached --share-trust"
    assert world.journal.changes == []
    assert not cached(world, "a", strict(), share=True).is_clone
    assert cached(world, "b", strict(), share=True).is_clone


def test_a_damaged_snapshot_is_reported_and_nothing_is_made(world: FakeWorld) -> None:
    first = cached(world, "a")
    assert first.snapshot is not None
    world.snapshots.files(first.snapshot).disk("worker").write_text("x")
    world.journal.clear()
    with pytest.raises(StateError, match="damaged") as caught:
        cached(world, "b")
    assert caught.value.hint == f"bootstrap snapshot delete cached {first.snapshot.name}"
