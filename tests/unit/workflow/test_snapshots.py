"""`snapshot save`, `restore`, `reset`, `up --from` and pruning, on fakes with memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bootstrap.errors import (
    BootstrapError,
    HostError,
    NotFoundError,
    StateError,
    UsageError,
    VerifyError,
)
from bootstrap.model.cluster import DomainState
from bootstrap.model.names import SWITCH, ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.snapshot import Origin, Snapshot, SnapshotId
from bootstrap.model.spec import SecurityProfile
from bootstrap.ports import Reachable, ShellResult
from bootstrap.workflow.down import down
from bootstrap.workflow.images import prune_images
from bootstrap.workflow.loading import load_images
from bootstrap.workflow.restoring import clone, reset, restore
from bootstrap.workflow.snapshots import (
    Limits,
    SaveOptions,
    SaveResult,
    clusters_of_snapshots,
    delete_snapshots,
    newest,
    prune_snapshots,
    save,
    surplus,
)
from bootstrap.workflow.start import start
from bootstrap.workflow.steps.upkeep import CERTIFICATES_END
from bootstrap.workflow.up import UpResult, up
from tests.builders import FakeWorld, a_cluster_spec, options
from tests.fakes.archives import an_image_named

DEMO, TWIN = ClusterName("demo"), ClusterName("twin")
READY = SnapshotId(DEMO, "ready")
RUNNING, PAUSED, OFF = DomainState.RUNNING, DomainState.PAUSED, DomainState.SHUT_OFF


@pytest.fixture
def made(world: FakeWorld) -> FakeWorld:
    """A verified cluster of one control plane and one worker."""
    up(a_cluster_spec(), world.ports, options())
    world.journal.clear()
    return world


@pytest.fixture
def saved(made: FakeWorld) -> FakeWorld:
    """The same with a snapshot of it."""
    keep(made)
    made.journal.clear()
    return made


def keep(world: FakeWorld, name: SnapshotId = READY, *, stop: bool = False) -> SaveResult:
    ports = world.ports.cluster(name.cluster)
    return save(a_cluster_spec(str(name.cluster)), name, ports, SaveOptions(stop=stop))


def cloned(world: FakeWorld, *, share_trust: bool = False) -> UpResult:
    spec = a_cluster_spec(str(TWIN))
    return clone(spec, READY, world.ports.cluster(TWIN), share_trust=share_trust)


def states(world: FakeWorld, cluster: ClusterName = DEMO) -> dict[str, DomainState]:
    domains = world.hypervisor.domains_by_uuid.values()
    return {one.mark.node: one.state for one in domains if one.mark and one.mark.cluster == cluster}


def changes(world: FakeWorld, *methods: str) -> list[str]:
    return [change for change in world.journal.changes if change.split()[0] in methods]


def test_save_freezes_workers_first_and_lets_them_go_on_last(made: FakeWorld) -> None:
    result = keep(made)
    assert changes(made, "hypervisor.suspend_domain", "hypervisor.start_domain") == [
        "hypervisor.suspend_domain demo-worker",
        "hypervisor.suspend_domain demo-control-plane",
        "hypervisor.start_domain demo-control-plane",
        "hypervisor.start_domain demo-worker",
    ]
    assert set(states(made).values()) == {RUNNING}
    assert result.verified is not None
    assert result.verified.changed == 0


def test_a_snapshot_knows_what_it_is(made: FakeWorld) -> None:
    snapshot = keep(made).snapshot
    assert snapshot == made.snapshots.find(READY)
    assert [node.name for node in snapshot.nodes] == ["control-plane", "worker"]
    assert (snapshot.reader.qemu, list(snapshot.images)) == ("7.2.22", [made.images.key])
    assert set(snapshot.files) == {
        *(f"{node}.{kind}" for node in ("control-plane", "worker") for kind in ("memory", "qcow2")),
        "keys.json",
    }
    assert snapshot.size_bytes == sum(file.size_bytes for file in snapshot.files.values()) > 0


def image_names(world: FakeWorld, cluster: ClusterName = DEMO) -> list[str]:
    kept = world.ports.cluster(cluster).archives.kept(cluster)
    return sorted(image.name for archive in kept for image in archive.images)


def test_images_that_were_loaded_come_with_the_snapshot(made: FakeWorld) -> None:
    """Or a node that is added to a clone would lack them."""
    app, tool = an_image_named("example.test/app:1"), an_image_named("example.test/tool:1")
    made.archives.sources = {"app.tar": (app,), "tool.tar": (tool,)}
    load_images(DEMO, ["app.tar"], made.ports)
    keep(made)
    load_images(DEMO, ["tool.tar"], made.ports)
    cloned(made)
    assert image_names(made, TWIN) == [app.name]
    restore(a_cluster_spec(), READY, made.ports)
    assert image_names(made) == [app.name]


def test_the_clusters_of_a_snapshot_are_known(saved: FakeWorld) -> None:
    assert clusters_of_snapshots(saved.ports) == {}
    cloned(saved)
    restore(a_cluster_spec(), READY, saved.ports)
    assert clusters_of_snapshots(saved.ports) == {"demo/ready": [DEMO, TWIN]}


def test_the_first_certificate_that_ends_is_remembered(made: FakeWorld) -> None:
    years = {"control-plane": 2031, "worker": 2030}

    def answer(node: Reachable, command: str) -> ShellResult | None:
        if "-enddate" not in command:
            return None
        text = f"{years[node.name]}-05-01T00:00:00+00:00\n"
        return ShellResult(exit_status=0, stdout=text, stderr="")

    made.shell.programs.append(answer)
    assert keep(made).snapshot.certificates_end == datetime(2030, 5, 1, tzinfo=UTC)


def test_save_with_stop_leaves_everything_off(made: FakeWorld) -> None:
    assert keep(made, stop=True).verified is None
    assert states(made) == dict.fromkeys(("control-plane", "worker", SWITCH), OFF)
    assert "volumes.sync demo" in made.journal.calls  # as `stop` does


@pytest.mark.parametrize("call", ["hypervisor.save_memory", "volumes.save_disk"])
def test_a_save_that_fails_leaves_a_running_cluster_and_no_snapshot(
    made: FakeWorld, call: str
) -> None:
    made.journal.failures[call] = BootstrapError("no room")
    with pytest.raises(BootstrapError, match="no room"):
        keep(made)
    assert set(states(made).values()) == {RUNNING}
    assert made.snapshots.list() == []


def test_only_a_verified_cluster_is_saved(made: FakeWorld) -> None:
    made.api.sick_checks.add("dns")
    with pytest.raises(VerifyError):
        keep(made)
    assert made.snapshots.list() == []
    assert changes(made, "hypervisor.suspend_domain") == []


def test_a_cluster_that_does_not_run_whole_is_not_saved(made: FakeWorld) -> None:
    made.hypervisor.shut_down_domain("demo-worker")
    with pytest.raises(UsageError, match="worker") as caught:
        keep(made)
    assert caught.value.hint == "bootstrap start demo"


def test_a_name_is_given_once_and_refused_before_anything_that_takes_long(
    saved: FakeWorld,
) -> None:
    saved.journal.clear()
    with pytest.raises(UsageError, match="already"):
        keep(saved)
    assert changes(saved, "hypervisor.suspend_domain") == []
    assert [call for call in saved.journal.calls if call.startswith(("api.", "shell."))] == []


def test_a_save_that_is_killed_anywhere_is_done_by_the_next(made: FakeWorld) -> None:
    """R-02: at every change; the nodes that it has frozen go on."""
    keep(made, SnapshotId(DEMO, "first"))
    length = len(made.journal.changes)
    assert length == 8
    for number in range(1, length):
        made.journal.clear()
        made.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            keep(made, SnapshotId(DEMO, f"n{number}"))
        made.journal.killed_after = None
        keep(made, SnapshotId(DEMO, f"n{number}"))
        assert set(states(made).values()) == {RUNNING}


def test_restore_takes_disks_memory_and_keys_back(saved: FakeWorld) -> None:
    held = saved.volumes.held["demo"]
    held.memory["worker"].add("written later")
    result = restore(a_cluster_spec(), READY, saved.ports)
    assert "written later" not in held.memory["worker"]
    assert set(states(saved).values()) == {RUNNING}
    assert result.changed == 0
    assert saved.volumes.origin(DEMO) == Origin(snapshot="demo/ready", is_complete=True)
    assert held.staged == {}


def test_restore_removes_nodes_that_came_later_and_brings_others_back(saved: FakeWorld) -> None:
    up(a_cluster_spec(workers=2), saved.ports, options())
    restore(a_cluster_spec(), READY, saved.ports)
    assert set(states(saved)) == {"control-plane", "worker", SWITCH}
    saved.hypervisor.domains_by_uuid = {
        unique: one
        for unique, one in saved.hypervisor.domains_by_uuid.items()
        if one.name != "demo-worker"
    }
    restore(a_cluster_spec(), READY, saved.ports)
    assert set(states(saved)) == {"control-plane", "worker", SWITCH}


def test_a_cluster_that_is_gone_comes_back_with_its_keys(saved: FakeWorld) -> None:
    authority = saved.trust.authority_hash()
    result = down(DEMO, saved.ports)
    assert result.snapshots == ("demo/ready",)
    saved.trust.lose()
    restore(a_cluster_spec(), READY, saved.ports)
    assert saved.trust.authority_hash() == authority
    assert set(states(saved).values()) == {RUNNING}


def test_down_does_not_mind_a_damaged_snapshot(saved: FakeWorld) -> None:
    saved.snapshots.files(READY).memory("x").with_name("manifest.json").unlink()
    assert down(DEMO, saved.ports).snapshots == ("demo/ready",)
    assert states(saved) == {}


def test_down_takes_snapshots_too_if_asked(saved: FakeWorld) -> None:
    assert down(DEMO, saved.ports, with_snapshots=True).snapshots == ()
    assert saved.snapshots.list() == []


def test_a_half_restored_cluster_is_refused_until_it_is_restored(saved: FakeWorld) -> None:
    saved.journal.failures["hypervisor.restore_memory"] = BootstrapError("broken")
    with pytest.raises(BootstrapError, match="broken") as failed:
        restore(a_cluster_spec(), READY, saved.ports)
    assert "half restored" in failed.value.details
    saved.journal.failures.clear()
    with pytest.raises(StateError, match="being restored") as caught:
        up(a_cluster_spec(), saved.ports, options())
    assert caught.value.hint == "bootstrap snapshot restore demo demo/ready"
    with pytest.raises(StateError, match="being restored"):
        start(a_cluster_spec(), (), saved.ports)
    restore(a_cluster_spec(), READY, saved.ports)
    up(a_cluster_spec(), saved.ports, options())


def test_a_restore_that_is_killed_anywhere_is_finished_by_the_next(saved: FakeWorld) -> None:
    """R-02: at every change."""
    restore(a_cluster_spec(), READY, saved.ports)
    length = len(saved.journal.changes)
    assert length > 10
    for number in range(1, length):
        saved.journal.clear()
        saved.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            restore(a_cluster_spec(), READY, saved.ports)
        saved.journal.killed_after = None
        restore(a_cluster_spec(), READY, saved.ports)
        assert set(states(saved).values()) == {RUNNING}


def test_a_snapshot_is_checked_before_anything_is_touched(saved: FakeWorld) -> None:
    saved.snapshots.files(READY).memory("worker").write_text("memory of another")
    with pytest.raises(StateError, match=r"damaged: worker\.memory"):
        restore(a_cluster_spec(), READY, saved.ports)
    assert saved.journal.changes == []


def build_anew(world: FakeWorld) -> None:
    key = world.images.key
    world.images.built[key] = replace(world.images.built[key], sha256="f" * 64)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world.hypervisor, "qemu", "7.1.0"), "QEMU 7.2.22 wrote it"),
        (lambda world: setattr(world.hypervisor, "qemu", "8.2.1"), "this host has 8.2.1"),
        (lambda world: world.images.built.clear(), "is gone"),
        (build_anew, "to other bytes"),
        (lambda world: setattr(world.host, "model", "Other 2: aes"), "lacks avx"),
        (
            lambda world: setattr(world.host, "accelerated", Acceleration.EMULATED),
            "does not work here",
        ),
    ],
)
def test_what_cannot_be_read_here_is_refused_with_the_reason(
    saved: FakeWorld, spoil: object, reason: str
) -> None:
    assert callable(spoil)
    spoil(saved)
    with pytest.raises(StateError, match="cannot be restored here") as caught:
        restore(a_cluster_spec(), READY, saved.ports)
    assert reason in caught.value.details
    assert saved.journal.changes == []


def test_a_snapshot_whose_certificates_ended_is_refused(world: FakeWorld) -> None:
    world.shell.answers[CERTIFICATES_END] = ShellResult(
        exit_status=0, stdout="2029-12-31T00:00:00+00:00\n", stderr=""
    )
    up(a_cluster_spec(), world.ports, options())
    keep(world)
    with pytest.raises(StateError) as caught:
        restore(a_cluster_spec(), READY, world.ports)
    assert "its certificates ended on 2029-12-31" in caught.value.details


def test_a_host_without_room_is_refused_before_anything_is_touched(saved: FakeWorld) -> None:
    saved.host.memory_mib = 1000
    with pytest.raises(HostError):
        cloned(saved)
    assert saved.journal.changes == []


def test_a_clone_is_a_cluster_of_its_own_beside_the_original(saved: FakeWorld) -> None:
    result = cloned(saved)
    assert states(saved) == states(saved, TWIN) == dict.fromkeys(states(saved), RUNNING)
    domains = saved.hypervisor.domains_by_uuid.values()
    marks = [one.mark for one in domains if one.mark]
    ports = [port for mark in marks for port in mark.ports.values()]
    assert len(ports) == len(set(ports))
    assert result.plan.name == TWIN
    nodes = {node.name: node for node in result.plan.nodes}
    for name, node in nodes.items():
        original = next(one for one in saved.hypervisor.domains(DEMO) if one.name == name)
        assert str(node.address) == original.mark.facts["address"]
        assert node.uuid != original.uuid


def test_a_clone_gets_ssh_keys_of_its_own_and_a_restored_cluster_keeps_its(
    saved: FakeWorld,
) -> None:
    """SEC-01, SEC-03."""
    restore(a_cluster_spec(), READY, saved.ports)
    assert saved.shell.stdin == {}
    cloned(saved)
    nodes = ("control-plane", "worker")
    assert saved.shell.stdin == {
        ("twin", node): saved.trust.node_keys(node).host_private_key for node in nodes
    }


def test_a_clone_that_did_not_take_its_keys_is_not_called_whole(saved: FakeWorld) -> None:
    saved.shell.programs.append(
        lambda _, command: (
            ShellResult(exit_status=1, stdout="", stderr="read-only")
            if "authorized_keys" in command
            else None
        )
    )
    with pytest.raises(BootstrapError, match="did not take SSH keys") as caught:
        cloned(saved)
    assert "read-only" in caught.value.details
    assert states(saved, TWIN) == {}


def test_the_same_clone_again_only_proves_it(saved: FakeWorld) -> None:
    cloned(saved)
    saved.journal.clear()
    assert cloned(saved).changed == 0
    assert changes(saved, "hypervisor.restore_memory", "hypervisor.power_off_domain") == []


def test_another_cluster_of_that_name_stays(saved: FakeWorld) -> None:
    up(a_cluster_spec(str(TWIN)), saved.ports.cluster(TWIN), options())
    saved.journal.clear()
    with pytest.raises(UsageError, match="was not made of") as caught:
        cloned(saved)
    assert caught.value.hint == "bootstrap down twin"
    assert saved.journal.changes == []


def test_a_cluster_is_not_restored_from_a_snapshot_of_another(saved: FakeWorld) -> None:
    with pytest.raises(UsageError, match="was not made of"):
        restore(a_cluster_spec(str(TWIN)), READY, saved.ports.cluster(TWIN))


def test_a_clone_that_cannot_be_made_leaves_nothing(saved: FakeWorld) -> None:
    saved.journal.failures["hypervisor.restore_memory twin-worker"] = BootstrapError("broken")
    with pytest.raises(BootstrapError, match="broken") as caught:
        cloned(saved)
    assert "The machines were removed." in caught.value.details
    assert states(saved, TWIN) == {}
    assert "twin" not in saved.volumes.held


def test_a_strict_cluster_is_cloned_only_if_trust_may_be_shared(world: FakeWorld) -> None:
    """SEC-03: the SSH key is shared, too."""
    spec = a_cluster_spec()
    strict = replace(spec, security=replace(spec.security, profile=SecurityProfile.STRICT))
    up(strict, world.ports, options())
    keep(world)
    with pytest.raises(UsageError, match="strict") as caught:
        cloned(world)
    assert caught.value.hint == "bootstrap up twin --from demo/ready --share-trust"
    assert cloned(world, share_trust=True).plan.is_strict


def test_reset_takes_the_newest_snapshot_and_a_clone_the_one_that_it_is_of(
    saved: FakeWorld,
) -> None:
    assert reset(a_cluster_spec(), saved.ports).plan.name == DEMO
    cloned(saved)
    twin = saved.ports.cluster(TWIN)
    reset(a_cluster_spec(str(TWIN)), twin)
    assert saved.volumes.origin(TWIN) == Origin(snapshot="demo/ready", is_complete=True)
    keep(saved, SnapshotId(TWIN, "own"))
    reset(a_cluster_spec(str(TWIN)), twin)
    assert saved.volumes.origin(TWIN) == Origin(snapshot="twin/own", is_complete=True)


def test_without_any_snapshot_there_is_nothing_to_reset_to(made: FakeWorld) -> None:
    with pytest.raises(UsageError) as caught:
        reset(a_cluster_spec(), made.ports)
    assert caught.value.hint == "bootstrap snapshot save demo"
    with pytest.raises(NotFoundError):
        restore(a_cluster_spec(), READY, made.ports)


def test_deleting_leaves_clones_alone(saved: FakeWorld) -> None:
    cloned(saved)
    delete_snapshots([READY], saved.ports)
    assert saved.snapshots.list() == []
    up(a_cluster_spec(str(TWIN)), saved.ports.cluster(TWIN), options())
    with pytest.raises(NotFoundError):
        delete_snapshots([READY], saved.ports)


def test_the_image_of_a_snapshot_is_kept(saved: FakeWorld) -> None:
    down(DEMO, saved.ports)
    assert prune_images(saved.ports) == []
    delete_snapshots([READY], saved.ports)
    assert prune_images(saved.ports) == [saved.images.key]


def test_the_newest_one_counts(saved: FakeWorld) -> None:
    keep(saved, SnapshotId(DEMO, "second"))
    assert newest(DEMO, saved.ports).name == "second"


def test_prune_keeps_what_is_within_the_limits(saved: FakeWorld) -> None:
    keep(saved, SnapshotId(DEMO, "second"))
    going = prune_snapshots(saved.ports, Limits(keep=1))
    assert [str(one) for one in going] == ["demo/ready"]
    assert [one.name for one in saved.snapshots.list()] == ["second"]


@pytest.mark.parametrize(
    ("limits", "going"),
    [
        (Limits(keep=2), ["a/1"]),
        (Limits(keep=0), ["a/1", "b/2", "a/3", "a/4"]),
        (Limits(older_than=timedelta(days=2)), ["a/1", "b/2"]),
        (Limits(max_bytes=20), ["a/1", "b/2"]),
        (Limits(keep=1, max_bytes=10), ["a/1", "b/2", "a/3"]),
        (Limits(), []),
    ],
)
def test_limits(saved: FakeWorld, limits: Limits, going: Sequence[str]) -> None:
    [one] = saved.snapshots.list()
    whole = {name: replace(file, size_bytes=2) for name, file in one.files.items()}
    many: list[Snapshot] = [
        replace(
            one,
            cluster=cluster,
            name=str(day),
            created=f"2030-01-0{day}T00:00:00+00:00",
            files=whole,
        )
        for cluster, day in (("a", 1), ("b", 2), ("a", 3), ("a", 4))
    ]
    now = datetime(2030, 1, 5, tzinfo=UTC)
    assert [str(found.id) for found in surplus(many, now, limits)] == list(going)
