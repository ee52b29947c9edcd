"""Single nodes are added, removed and replaced, on fakes with memory."""

from dataclasses import replace

import pytest

from bootstrap.errors import (
    BootstrapError,
    HostError,
    LockedError,
    NotFoundError,
    StateError,
    TimedOutError,
    UsageError,
    VerifyError,
)
from bootstrap.model.cluster import DomainState
from bootstrap.model.names import SWITCH
from bootstrap.model.spec import ClusterSpec
from bootstrap.waiting import NotYet
from bootstrap.workflow.node_changes import RemovalResult, remove_nodes, replace_node
from bootstrap.workflow.node_removal import Removal
from bootstrap.workflow.up import UpResult, up
from tests.builders import FakeWorld, a_cluster_spec, options, ports_with_fakes
from tests.fakes.cluster_api import FakePod

CONTROL_PLANE, WORKER, WORKER2, WORKER3 = "control-plane", "worker", "worker2", "worker3"
#: As the commands give it: the name counts, the rest is what exists.
DEMO = a_cluster_spec()
NOTHING = frozenset[str]()


def make(world: FakeWorld, workers: int = 2, **changes: object) -> UpResult:
    result = up(a_cluster_spec(workers=workers, **changes), world.ports, options())  # type: ignore[arg-type]
    world.journal.clear()
    return result


def remove(world: FakeWorld, *names: str, **removal: object) -> RemovalResult:
    return remove_nodes(DEMO, names or (WORKER2,), world.ports, Removal(**removal))  # type: ignore[arg-type]


def renew(world: FakeWorld, name: str = WORKER2, **removal: object) -> UpResult:
    more = options(removal=Removal(verb="replace", **removal))  # type: ignore[arg-type]
    return replace_node(DEMO, name, world.ports, more)


def traces(world: FakeWorld, name: str) -> list[str]:
    """List what exists of a node."""
    switch = world.hypervisor.named("demo-switch")
    assert switch is not None
    held, files = world.volumes.held["demo"], world.files.files["demo"]
    found = {
        "domain": world.hypervisor.named(f"demo-{name}") is not None,
        "port of the switch": name in switch.cables | switch.plugged,
        "name in the switch's mark": switch.mark and name in switch.mark.facts["nodes"].split(","),
        "node object": name in world.api.nodes,
        "cordon": name in world.api.cordoned,
        "volumes": any(path.parent.name == name for path in held.files),
        "memory": name in held.memory,
        "key": name in world.trust.nodes,
        "archive": f"nodes/{name}.files" in files,
        "inventory": name in files["inventory.yml"].replace(":", " ").split(),
        "SSH": name in (files["ssh/config"] + files["ssh/known_hosts"]).split(),
    }
    return [what for what, is_there in found.items() if is_there]


def refused(world: FakeWorld, kind: type[BootstrapError], *names: str) -> BootstrapError:
    """Remove nodes, which must be refused and change nothing."""
    world.journal.clear()
    with pytest.raises(kind) as caught:
        remove(world, *names)
    assert world.journal.changes == []
    return caught.value


def test_a_removed_node_leaves_no_trace_and_the_rest_is_verified(world: FakeWorld) -> None:
    make(world)
    assert len(traces(world, WORKER2)) > 8
    result = remove(world)
    assert traces(world, WORKER2) == []
    assert len(traces(world, WORKER)) > 8
    assert (result.removed, [node.name for node in result.plan.nodes]) == (
        [WORKER2],
        [CONTROL_PLANE, WORKER],
    )
    assert all(check.ok for check in result.checks)
    world.journal.clear()
    assert up(a_cluster_spec(workers=1), world.ports, options()).changed == 0
    assert world.journal.changes == []


def test_the_other_nodes_are_not_touched(world: FakeWorld) -> None:
    """Neither their domains nor their volumes, and Ansible does not run."""
    make(world)
    before = {name: world.hypervisor.named(f"demo-{name}") for name in (CONTROL_PLANE, WORKER)}
    definitions = {name: one and (one.definition, one.mark) for name, one in before.items()}
    remove(world)
    for name, known in definitions.items():
        domain = world.hypervisor.named(f"demo-{name}")
        assert domain is not None
        assert (domain.definition, domain.mark) == known
    touched = [call for call in world.journal.changes if call.split()[0] != "files.ensure_files"]
    assert touched == [
        "api.cordon worker2",
        "hypervisor.power_off_domain demo-worker2",
        "api.remove_node worker2",
        "hypervisor.remove_domain demo-worker2",
        "volumes.remove_node worker2",
        "trust.remove_node_keys worker2",
        "files.remove_file nodes/worker2.files",
        "hypervisor.ensure_switch demo-switch",
    ]
    assert not any(call.startswith("playbooks") for call in world.journal.calls)


def test_a_node_in_the_middle_may_go_and_its_name_is_given_again(world: FakeWorld) -> None:
    make(world, 3)
    plan = remove(world, WORKER2).plan
    assert [node.name for node in plan.workers] == [WORKER, WORKER3]
    assert make(world, 2).plan.workers == plan.workers
    assert [node.name for node in make(world, 3).plan.workers] == [WORKER, WORKER2, WORKER3]


def test_several_nodes_go_at_once_and_may_be_named_as_domains(world: FakeWorld) -> None:
    make(world, 3)
    assert remove(world, "demo-worker3", WORKER2, WORKER3).removed == [WORKER3, WORKER2]
    assert set(world.api.nodes) == {CONTROL_PLANE, WORKER}


def test_the_last_worker_may_go_and_up_does_not_bring_it_back(world: FakeWorld) -> None:
    """`up NAME` without a number keeps what is there."""
    make(world, 1)
    remove(world, WORKER)
    assert set(world.api.nodes) == {CONTROL_PLANE}
    world.journal.clear()
    assert up(DEMO, world.ports, options(chosen=NOTHING)).plan.workers == ()
    assert world.journal.changes == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("worker9", "There is no node 'worker9'"),
        ("gpu", "There is no node 'gpu'"),
        (SWITCH, "There is no node 'switch'"),
        ("../x", "There is no node '../x'"),
        (CONTROL_PLANE, "is the control plane"),
        ("demo-control-plane", "is the control plane"),
    ],
)
def test_what_is_no_worker_is_wrong_use(world: FakeWorld, name: str, words: str) -> None:
    """X-05: nothing changes, not even for the good names beside it."""
    make(world)
    world.api.nodes["gpu"] = "Ready"
    error = refused(world, UsageError, WORKER, name)
    assert words in error.message
    assert error.hint.startswith("bootstrap ")


def test_a_cluster_that_does_not_exist_is_not_found(world: FakeWorld) -> None:
    assert "There is no cluster 'demo'" in refused(world, NotFoundError).message
    with pytest.raises(NotFoundError, match="no cluster"):
        renew(world)
    with pytest.raises(NotFoundError, match="no cluster"):
        up(DEMO, world.ports, options(chosen=NOTHING, adding=1))
    assert world.journal.changes == []


def test_a_cluster_that_another_run_works_on_is_left_alone(world: FakeWorld) -> None:
    make(world)
    with world.ports.cluster(DEMO.name).lock():
        refused_by_lock(world)


def refused_by_lock(world: FakeWorld) -> None:
    ports = world.ports.cluster(DEMO.name)
    with pytest.raises(LockedError):
        remove_nodes(DEMO, [WORKER2], ports, Removal())
    with pytest.raises(LockedError):
        replace_node(DEMO, WORKER2, ports, options(removal=Removal()))
    assert world.journal.changes == []


def test_a_lost_kubeconfig_is_told_before_anything_goes(world: FakeWorld) -> None:
    make(world)
    del world.files.files["demo"]["kubeconfig"]
    assert "no file 'kubeconfig'" in refused(world, StateError).message


def test_without_power_the_cluster_has_to_be_started_first(world: FakeWorld) -> None:
    """D-07: after a power cut no API server would answer, however long it is waited for."""
    make(world)
    plane = world.hypervisor.named("demo-control-plane")
    assert plane is not None
    plane.state = DomainState.SHUT_OFF
    error = refused(world, BootstrapError)
    assert error.message == "The control plane of cluster 'demo' does not run."
    assert error.hint == "bootstrap start demo"
    assert len(traces(world, WORKER2)) > 8


def test_pods_leave_before_their_node_does(world: FakeWorld) -> None:
    make(world)
    world.api.pods = [FakePod(name="web", node=WORKER2), FakePod(name="other", node=WORKER)]
    remove(world)
    changes = world.journal.changes
    assert changes.index("api.evict_pods worker2") < changes.index(
        "hypervisor.power_off_domain demo-worker2"
    )
    assert [pod.name for pod in world.api.pods] == ["other"]


def test_a_budget_that_holds_a_pod_is_named_and_nothing_is_removed(
    world: FakeWorld, slept: list[float]
) -> None:
    """X-04: exit 5 after the deadline, and the nodes take pods again."""
    make(world, 3)
    world.api.pods = [
        FakePod(name="db-0", node=WORKER2, budget="db"),
        FakePod(name="web", node=WORKER3),
    ]
    with pytest.raises(TimedOutError) as caught:
        remove(world, WORKER2, WORKER3)
    error = caught.value
    assert error.exit_code == 5
    assert "pod default/db-0 on worker2" in error.details
    assert "The disruption budget db" in error.details
    assert "No node was removed, and they take pods again." in error.details
    assert error.hint == "bootstrap node remove demo worker2 worker3 --force"
    assert world.api.cordoned == {}
    assert set(world.api.nodes) == {CONTROL_PLANE, WORKER, WORKER2, WORKER3}
    assert world.journal.changes_of("hypervisor", "volumes", "files", "trust") == []
    assert 300 <= sum(slept) < 310


@pytest.mark.parametrize(("emulated", "chosen", "limit"), [(True, None, 1800), (True, 40, 40)])
def test_the_deadline_is_the_users_or_six_times_as_long_under_emulation(
    slept: list[float], *, emulated: bool, chosen: int | None, limit: int
) -> None:
    world = ports_with_fakes()
    world.host.accelerated = type(world.host.accelerated)("emulated" if emulated else "kvm")
    make(world)
    world.api.pods = [FakePod(name="db-0", node=WORKER2, budget="db")]
    slept.clear()
    with pytest.raises(TimedOutError):
        remove(world, timeout_s=chosen)
    assert limit <= sum(slept) < limit + 10


def test_what_the_user_has_cordoned_stays_so_when_the_pods_do_not_leave(world: FakeWorld) -> None:
    make(world)
    world.api.cordoned[WORKER2] = False
    world.api.pods = [FakePod(name="db-0", node=WORKER2, budget="db")]
    with pytest.raises(TimedOutError):
        remove(world)
    assert world.api.cordoned == {WORKER2: False}


def test_an_interrupted_drain_lets_the_node_take_pods_again(world: FakeWorld) -> None:
    """G-04: as Ctrl-C would."""
    make(world)
    world.journal.failures["api.evict_pods"] = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        remove(world)
    assert world.api.cordoned == {}


def test_up_lifts_the_cordon_that_a_killed_removal_left(world: FakeWorld) -> None:
    """One of the user's stays."""
    make(world)
    world.api.cordoned = {WORKER: False, WORKER2: True}
    up(a_cluster_spec(workers=2), world.ports, options())
    assert world.api.cordoned == {WORKER: False}


def test_force_waits_for_no_pod(world: FakeWorld, slept: list[float]) -> None:
    make(world)
    world.api.pods = [FakePod(name="db-0", node=WORKER2, budget="db")]
    assert remove(world, force=True).removed == [WORKER2]
    assert not any("evict" in call or "cordon" in call for call in world.journal.calls)
    assert slept == []


def test_nobody_waits_for_the_pods_of_a_node_that_is_dead_and_that_is_said(
    world: FakeWorld, slept: list[float]
) -> None:
    """X-02."""
    make(world)
    power_off(world, WORKER2, status="NotReady (NodeStatusUnknown)")
    world.api.pods = [FakePod(name="web", node=WORKER2)]
    remove(world)
    assert traces(world, WORKER2) == []
    assert slept == []
    assert world.events.notes == ["Node 'worker2' does not run: its pods cannot be awaited."]


def power_off(world: FakeWorld, name: str, *, status: str) -> None:
    domain = world.hypervisor.named(f"demo-{name}")
    assert domain is not None
    domain.state = DomainState.SHUT_OFF
    world.api.nodes[name] = status


@pytest.mark.parametrize("is_off", [True, False])
def test_a_node_that_may_still_end_its_pods_is_waited_for(
    world: FakeWorld, *, is_off: bool
) -> None:
    """Off since a moment, or not Ready but running: its kubelet may come back."""
    make(world)
    if is_off:
        power_off(world, WORKER2, status="Ready")
    else:
        world.api.nodes[WORKER2] = "NotReady (KubeletNotReady)"
    world.api.pods = [FakePod(name="db-0", node=WORKER2, budget="db")]
    with pytest.raises(TimedOutError):
        remove(world)


def test_an_api_server_that_does_not_answer_keeps_every_node(world: FakeWorld) -> None:
    """Even with force: nobody could unregister the node."""
    make(world)
    world.api.is_up = False
    with pytest.raises(TimedOutError) as caught:
        remove(world, force=True)
    assert caught.value.hint == "bootstrap up demo"
    assert world.journal.changes_of("hypervisor", "volumes", "api") == []


def test_a_node_object_that_does_not_go_is_an_error_and_the_rest_waits(world: FakeWorld) -> None:
    make(world)
    world.api.kept.add(WORKER2)
    with pytest.raises(TimedOutError) as caught:
        remove(world)
    assert "still registered" in caught.value.details
    assert "domain" in traces(world, WORKER2)
    world.api.kept.clear()
    remove(world)
    assert traces(world, WORKER2) == []


def test_a_cluster_that_is_sick_without_the_node_is_not_verified(world: FakeWorld) -> None:
    make(world)
    world.api.sick_checks.add("dns")
    with pytest.raises(VerifyError) as caught:
        remove(world)
    assert "Removed before that: worker2" in caught.value.details
    assert traces(world, WORKER2) == []


@pytest.mark.parametrize("part", ["domain", "node object", "domain and node object"])
def test_what_is_gone_already_is_as_wanted(world: FakeWorld, part: str) -> None:
    make(world)
    domain = world.hypervisor.named("demo-worker2")
    assert domain is not None
    if "domain" in part:
        del world.hypervisor.domains_by_uuid[domain.uuid]
    if "node object" in part:
        del world.api.nodes[WORKER2]
    if part == "domain":
        world.api.nodes[WORKER2] = "NotReady (NodeStatusUnknown)"
    remove(world)
    assert traces(world, WORKER2) == []


def test_a_node_that_only_the_api_server_knows_is_unregistered(world: FakeWorld) -> None:
    make(world)
    world.api.nodes[WORKER3] = "NotReady (NodeStatusUnknown)"
    remove(world, WORKER3)
    assert set(world.api.nodes) == {CONTROL_PLANE, WORKER, WORKER2}


def test_a_removal_that_was_cut_off_after_any_change_is_finished_by_the_next() -> None:
    """G-01, G-02: as a kill would, nothing is cleaned up in between."""
    for number in range(1, 50):
        fresh = ports_with_fakes()
        make(fresh)
        fresh.api.pods = [FakePod(name="web", node=WORKER2)]
        fresh.journal.killed_after = number
        try:
            remove(fresh)
        except KeyboardInterrupt:
            fresh.journal.killed_after = None
        else:
            break
        if "port of the switch" in traces(fresh, WORKER2):
            remove(fresh)
        assert traces(fresh, WORKER2) == [], f"cut off after change {number}"
        fresh.journal.clear()
        assert up(DEMO, fresh.ports, options(chosen=NOTHING)).changed == 0
        assert fresh.journal.changes == []
    assert number > 8


def test_a_removal_that_was_cut_off_is_undone_by_up() -> None:
    """Who changes their mind gets the node back, whole, until the switch has lost it."""
    for number in range(1, 9):
        fresh = ports_with_fakes()
        make(fresh)
        fresh.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            remove(fresh)
        fresh.journal.killed_after = None
        is_member = "port of the switch" in traces(fresh, WORKER2)
        up(DEMO, fresh.ports, options(chosen=NOTHING))
        assert bool(traces(fresh, WORKER2)) == is_member
        assert fresh.api.cordoned == {}
        assert set(fresh.api.nodes.values()) == {"Ready"}


def labelled(workers: int) -> ClusterSpec:
    """Give a cluster whose second worker is like no other."""
    spec = a_cluster_spec(workers=1)
    plane, worker = spec.node_groups
    odd = replace(worker, memory_mib=4096, labels={"disk": "fast"})
    groups = (plane, worker, odd, replace(worker, count=workers - 2))
    return replace(spec, node_groups=tuple(group for group in groups if group.count))


def facts(world: FakeWorld, name: str) -> tuple[str, str, str]:
    domain = world.hypervisor.named(f"demo-{name}")
    assert domain is not None
    assert domain.mark is not None
    return tuple(domain.mark.facts[key] for key in ("memoryMiB", "diskGiB", "labels"))  # type: ignore[return-value]


def test_a_replaced_node_is_made_anew_under_its_name_and_as_it_was(world: FakeWorld) -> None:
    """Others stay; a lower hole is not filled."""
    up(labelled(3), world.ports, options())
    remove(world, WORKER)
    ssh_port = {domain.name: domain.ssh_port for domain in world.hypervisor.domains()}
    key = world.trust.node_keys(WORKER2).host_public_key
    world.journal.clear()
    result = renew(world)
    assert [node.name for node in result.plan.workers] == [WORKER2, WORKER3]
    assert facts(world, WORKER2) == ("4096", "20", "disk=fast")
    assert world.trust.node_keys(WORKER2).host_public_key != key
    assert set(world.api.nodes) == {CONTROL_PLANE, WORKER2, WORKER3}
    assert {domain.name: domain.ssh_port for domain in world.hypervisor.domains()} == ssh_port
    changes = world.journal.changes_of("hypervisor", "playbooks", "api")
    assert [change for change in changes if "token" not in change] == [
        "api.cordon worker2",
        "hypervisor.power_off_domain demo-worker2",
        "api.remove_node worker2",
        "hypervisor.remove_domain demo-worker2",
        "hypervisor.ensure_domain demo-worker2",
        "hypervisor.start_domain demo-worker2",
        "playbooks.run worker2",
    ]
    assert world.api.cordoned == {}


def test_a_dead_node_is_replaced_without_waiting(world: FakeWorld, slept: list[float]) -> None:
    make(world)
    power_off(world, WORKER2, status="NotReady (NodeStatusUnknown)")
    world.api.pods = [FakePod(name="web", node=WORKER2)]
    assert renew(world).changed > 0
    assert world.api.nodes[WORKER2] == "Ready"
    assert slept == []


def test_a_replacement_that_cannot_be_drained_proposes_itself_with_force(world: FakeWorld) -> None:
    make(world)
    world.api.pods = [FakePod(name="db-0", node=WORKER2, budget="db")]
    with pytest.raises(TimedOutError) as caught:
        renew(world)
    assert caught.value.hint == "bootstrap node replace demo worker2 --force"
    assert world.journal.changes_of("hypervisor", "volumes") == []
    assert renew(world, force=True).changed > 0


def test_a_host_that_could_not_make_it_anew_keeps_the_node(world: FakeWorld) -> None:
    make(world)
    world.journal.failures["host.check"] = HostError("No disk left.")
    with pytest.raises(HostError):
        renew(world)
    world.journal.failures.clear()
    world.images.built.clear()
    with pytest.raises(StateError, match="is gone"):
        renew(world)
    assert world.journal.changes == []


def test_a_replacement_that_was_cut_off_after_any_change_is_finished_by_the_next() -> None:
    """By itself, and by `up`."""
    for number in range(1, 50):
        for finish in (renew, again):
            fresh = ports_with_fakes()
            make(fresh)
            fresh.journal.killed_after = number
            try:
                renew(fresh)
            except KeyboardInterrupt:
                fresh.journal.killed_after = None
                finish(fresh)
            else:
                assert number > 15
                return
            assert fresh.api.nodes == dict.fromkeys((CONTROL_PLANE, WORKER, WORKER2), "Ready")
            assert fresh.api.cordoned == {}
            fresh.journal.clear()
            assert again(fresh).changed == 0
            assert fresh.journal.changes == []


def again(world: FakeWorld) -> UpResult:
    return up(DEMO, world.ports, options(chosen=NOTHING))


def test_added_workers_have_the_sizes_that_were_given_and_the_others_keep_theirs(
    world: FakeWorld,
) -> None:
    make(world)
    wanted = a_cluster_spec(memory_mib=8192)
    chosen = frozenset({"memoryMiB"})
    result = up(wanted, world.ports, options(chosen=chosen, adding=2))
    assert [node.name for node in result.plan.workers] == [WORKER, WORKER2, WORKER3, "worker4"]
    memory = {name: facts(world, name)[0] for name in (WORKER, WORKER2, WORKER3, "worker4")}
    assert list(memory.values()) == ["2048", "2048", "8192", "8192"]
    assert facts(world, CONTROL_PLANE)[0] == "3072"


def test_an_added_worker_is_like_the_one_before_and_fills_a_hole(world: FakeWorld) -> None:
    up(labelled(3), world.ports, options())
    up(DEMO, world.ports, options(chosen=NOTHING, adding=1))
    assert facts(world, "worker4") == facts(world, WORKER3)
    remove(world, WORKER3)
    result = up(DEMO, world.ports, options(chosen=NOTHING, adding=1))
    assert [node.name for node in result.plan.workers] == [WORKER, WORKER2, WORKER3, "worker4"]
    assert facts(world, WORKER3) == facts(world, WORKER2)


def test_more_workers_than_are_supported_are_refused(world: FakeWorld) -> None:
    make(world)
    with pytest.raises(UsageError, match="has 2 workers, and 99 are supported"):
        up(DEMO, world.ports, options(chosen=NOTHING, adding=98))
    assert world.journal.changes == []


def test_fewer_workers_say_which_would_go_and_go_if_the_user_says_so(world: FakeWorld) -> None:
    """X-05: the highest names."""
    make(world, 3)
    with pytest.raises(UsageError) as caught:
        up(a_cluster_spec(workers=1), world.ports, options())
    assert "worker2, worker3" in caught.value.details
    assert caught.value.hint == "bootstrap node remove demo worker2 worker3"
    assert world.journal.changes == []
    result = up(a_cluster_spec(workers=1), world.ports, options(removal=Removal()))
    assert [node.name for node in result.plan.workers] == [WORKER]
    assert [traces(world, name) for name in (WORKER2, WORKER3)] == [[], []]
    assert result.changed == 0


def test_what_up_refuses_it_refuses_before_it_removes(world: FakeWorld) -> None:
    make(world, 2)
    for wrong in (a_cluster_spec(workers=1, memory_mib=4096), a_cluster_spec(labels={"a": "b"})):
        with pytest.raises(UsageError, match="cannot be changed"):
            up(wrong, world.ports, options(removal=Removal()))
    world.journal.failures["host.check"] = HostError("No disk left.")
    with pytest.raises(HostError):
        up(a_cluster_spec(workers=1), world.ports, options(removal=Removal()))
    assert world.journal.changes == []


def test_workers_whose_pods_do_not_leave_stay_with_remove_too(world: FakeWorld) -> None:
    """X-04."""
    make(world, 2)
    world.api.pods = [FakePod(name="db-0", node=WORKER2, budget="db")]
    with pytest.raises(TimedOutError) as caught:
        up(a_cluster_spec(workers=1), world.ports, options(removal=Removal()))
    assert caught.value.hint == "bootstrap node remove demo worker2 --force"
    assert len(traces(world, WORKER2)) > 8


def test_a_shrinking_that_was_cut_off_after_any_change_is_finished_by_the_next() -> None:
    """G-01, G-02: also when the domain is gone and the rest of the node is not."""
    for number in range(1, 50):
        fresh = ports_with_fakes()
        make(fresh, 3)
        fresh.journal.killed_after = number
        try:
            shrink(fresh)
        except KeyboardInterrupt:
            fresh.journal.killed_after = None
            shrink(fresh)
        else:
            assert number > 12
            return
        assert [traces(fresh, name) for name in (WORKER2, WORKER3)] == [[], []], number
        fresh.journal.clear()
        shrink(fresh)
        assert fresh.journal.changes == []


def shrink(world: FakeWorld) -> UpResult:
    return up(a_cluster_spec(workers=1), world.ports, options(removal=Removal()))


def test_a_half_removed_node_is_no_reason_to_remove_a_whole_one(world: FakeWorld) -> None:
    make(world, 3)
    domain = world.hypervisor.named("demo-worker2")
    assert domain is not None
    del world.hypervisor.domains_by_uuid[domain.uuid]
    result = up(a_cluster_spec(workers=2), world.ports, options(removal=Removal()))
    assert [node.name for node in result.plan.workers] == [WORKER, WORKER3]
    assert traces(world, WORKER2) == []


def test_nodes_that_a_killed_up_has_planned_are_made_by_the_next(world: FakeWorld) -> None:
    """Without a number, `up NAME` goes on with the one before."""
    world.journal.failures["hypervisor.start_domain demo-worker2"] = NotYet("cut")
    with pytest.raises(NotYet):
        up(a_cluster_spec(workers=3), world.ports, options())
    world.journal.failures.clear()
    for name in (WORKER2, WORKER3):
        domain = world.hypervisor.named(f"demo-{name}")
        assert domain is not None
        del world.hypervisor.domains_by_uuid[domain.uuid]
    result = up(DEMO, world.ports, options(chosen=NOTHING))
    assert [node.name for node in result.plan.workers] == [WORKER, WORKER2, WORKER3]
