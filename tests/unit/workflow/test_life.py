"""`stop`, `start`, `reboot`, `suspend` and `resume` on fakes with memory."""

from collections.abc import Callable, Collection

import pytest

from bootstrap.errors import LockedError, NotFoundError, TimedOutError, UsageError, VerifyError
from bootstrap.model.cluster import DomainState
from bootstrap.model.names import SWITCH, ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import ClusterSpec
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.start import reboot, resume, start, start_all
from bootstrap.workflow.stop import stop, suspend
from bootstrap.workflow.up import UpResult, up
from bootstrap.workflow.verification import verify
from tests.builders import FakeWorld, a_cluster_spec, options

CONTROL_PLANE, WORKER, WORKER2 = "control-plane", "worker", "worker2"
ALL = {CONTROL_PLANE, WORKER, WORKER2, SWITCH}
OFF, RUNNING, PAUSED = DomainState.SHUT_OFF, DomainState.RUNNING, DomainState.PAUSED
DEMO = ClusterName("demo")
Verb = Callable[[ClusterSpec, Collection[str], Ports], UpResult]


@pytest.fixture
def made(world: FakeWorld) -> FakeWorld:
    """A verified cluster of one control plane and two workers."""
    up(a_cluster_spec(workers=2), world.ports, options())
    world.journal.clear()
    return world


def states(world: FakeWorld) -> dict[str, DomainState]:
    domains = world.hypervisor.domains_by_uuid.values()
    return {one.mark.node: one.state for one in domains if one.mark}


def changes(world: FakeWorld, method: str) -> list[str]:
    """Return the nodes whose domains a method has changed, in that order."""
    said = [text.split() for text in world.journal.changes]
    return [words[1].removeprefix("demo-") for words in said if words[0] == method]


def test_stop_shuts_workers_down_first_and_the_switch_last(made: FakeWorld) -> None:
    result = stop(DEMO, (), made.ports)
    assert states(made) == dict.fromkeys(ALL, OFF)
    assert changes(made, "hypervisor.shut_down_domain") == [WORKER, WORKER2, CONTROL_PLANE]
    assert changes(made, "hypervisor.power_off_domain") == [SWITCH]
    assert list(result.changed) == [WORKER, WORKER2, CONTROL_PLANE]
    assert "volumes.sync demo" in made.journal.calls
    assert stop(DEMO, (), made.ports).changed == []


def test_a_guest_that_does_not_shut_down_loses_its_power_after_a_sync(made: FakeWorld) -> None:
    made.hypervisor.deaf.add("demo-worker")
    stop(DEMO, (), made.ports)
    assert states(made) == dict.fromkeys(ALL, OFF)
    assert changes(made, "hypervisor.power_off_domain") == [WORKER, SWITCH]
    calls = made.journal.calls
    assert calls.index("shell.run worker") < calls.index("hypervisor.power_off_domain demo-worker")


def test_stop_of_one_node_leaves_the_others_verified(made: FakeWorld) -> None:
    made.api.nodes[WORKER2] = "NotReady"
    result = stop(DEMO, [WORKER2], made.ports)
    assert states(made) == {**dict.fromkeys(ALL, RUNNING), WORKER2: OFF}
    assert result.checks
    assert all(check.ok for check in result.checks)


def test_stop_says_when_the_others_are_no_verified_cluster(made: FakeWorld) -> None:
    made.api.sick_checks.add("dns")
    with pytest.raises(VerifyError):
        stop(DEMO, [WORKER2], made.ports)
    assert states(made)[WORKER2] is OFF


def test_a_suspended_node_is_stopped_too(made: FakeWorld) -> None:
    suspend(DEMO, (), made.ports)
    stop(DEMO, (), made.ports)
    assert states(made) == dict.fromkeys(ALL, OFF)


def test_start_makes_a_stopped_cluster_a_verified_one(made: FakeWorld) -> None:
    before = dict(made.hypervisor.domains_by_uuid)
    stop(DEMO, (), made.ports)
    result = start(a_cluster_spec(), (), made.ports)
    assert states(made) == dict.fromkeys(ALL, RUNNING)
    assert {node.name for node in result.plan.nodes} == {CONTROL_PLANE, WORKER, WORKER2}
    assert all(check.ok for check in result.checks)
    assert result.changed == 0
    assert made.hypervisor.domains_by_uuid == before


def test_start_after_a_power_cut(made: FakeWorld) -> None:
    for domain in made.hypervisor.domains_by_uuid.values():
        domain.state = OFF
    start(a_cluster_spec(), (), made.ports)
    assert states(made) == dict.fromkeys(ALL, RUNNING)


def test_start_of_one_node_leaves_the_others_as_they_are(made: FakeWorld) -> None:
    stop(DEMO, [WORKER, WORKER2], made.ports)
    made.api.nodes[WORKER] = "NotReady"
    start(a_cluster_spec(), [WORKER2], made.ports)
    assert states(made) == {**dict.fromkeys(ALL, RUNNING), WORKER: OFF}


def test_no_node_starts_without_a_control_plane(made: FakeWorld) -> None:
    stop(DEMO, (), made.ports)
    made.journal.clear()
    for verb in (start, reboot):
        with pytest.raises(UsageError) as caught:
            verb(a_cluster_spec(), [WORKER], made.ports)
        assert caught.value.hint == "bootstrap start demo"
    assert made.journal.changes == []


def test_a_failed_start_removes_nothing(made: FakeWorld) -> None:
    stop(DEMO, (), made.ports)
    made.api.sick_checks.add("dns")
    with pytest.raises(VerifyError):
        start(a_cluster_spec(), (), made.ports)
    assert states(made) == dict.fromkeys(ALL, RUNNING)


def test_suspend_freezes_and_resume_sets_the_clocks(made: FakeWorld) -> None:
    assert set(suspend(DEMO, (), made.ports).changed) == {CONTROL_PLANE, WORKER, WORKER2}
    assert states(made) == {**dict.fromkeys(ALL, PAUSED), SWITCH: RUNNING}
    made.journal.clear()
    made.shell.wrong_clocks |= {CONTROL_PLANE, WORKER, WORKER2}
    resume(a_cluster_spec(), (), made.ports)
    assert states(made) == dict.fromkeys(ALL, RUNNING)
    notes = [note for note in made.events.notes if "clock" in note]
    assert sorted(notes) == [
        f"The clock of node '{name}' was wrong; it is set."
        for name in (CONTROL_PLANE, WORKER, WORKER2)
    ]


def test_workers_boot_when_the_api_server_is_ready_on_few_emulated_cores(world: FakeWorld) -> None:
    """D-09: beside booting workers, an API server that starts never came to its end."""
    world.host.accelerated, world.host.cores = Acceleration.EMULATED, 2
    up(a_cluster_spec(workers=2), world.ports, options())
    stop(DEMO, (), world.ports)
    world.journal.clear()
    start(a_cluster_spec(), (), world.ports)
    calls = world.journal.calls
    ready = calls.index("api.check_ready kubeconfig")
    starts = [calls.index(f"hypervisor.start_domain demo-{node}") for node in (WORKER, WORKER2)]
    assert calls.index("hypervisor.start_domain demo-control-plane") < ready < min(starts)


def test_certificates_that_end_soon_are_renewed(made: FakeWorld) -> None:
    made.shell.old_certificates.add(CONTROL_PLANE)
    start(a_cluster_spec(), (), made.ports)
    assert made.shell.old_certificates == set()
    renewed = "The certificates of node 'control-plane' ended soon; they are renewed."
    assert made.events.notes.count(renewed) == 1
    start(a_cluster_spec(), (), made.ports)
    assert made.events.notes.count(renewed) == 1


def test_only_what_runs_can_be_suspended_or_resumed(made: FakeWorld) -> None:
    stop(DEMO, (), made.ports)
    made.journal.clear()
    with pytest.raises(UsageError):
        suspend(DEMO, [WORKER], made.ports)
    with pytest.raises(UsageError):
        resume(a_cluster_spec(), (), made.ports)
    assert made.journal.changes == []


def test_resume_starts_no_node_that_is_off(made: FakeWorld) -> None:
    stop(DEMO, [WORKER2], made.ports)
    resume(a_cluster_spec(), (), made.ports)
    assert states(made)[WORKER2] == OFF
    suspend(DEMO, [WORKER], made.ports)
    resume(a_cluster_spec(), (), made.ports)
    assert states(made) == {**dict.fromkeys(ALL, RUNNING), WORKER2: OFF}


def test_reboot_gives_every_machine_a_new_start(made: FakeWorld) -> None:
    reboot(a_cluster_spec(), (), made.ports)
    assert states(made) == dict.fromkeys(ALL, RUNNING)
    started = changes(made, "hypervisor.start_domain")
    assert started == [CONTROL_PLANE, WORKER, WORKER2]


def test_reboot_of_one_node_leaves_the_others_running(made: FakeWorld) -> None:
    reboot(a_cluster_spec(), [CONTROL_PLANE], made.ports)
    assert changes(made, "hypervisor.shut_down_domain") == [CONTROL_PLANE]
    assert changes(made, "hypervisor.start_domain") == [CONTROL_PLANE]


@pytest.mark.parametrize("verb", [start, reboot, resume])
def test_a_verb_needs_a_cluster_a_known_node_and_the_lock(made: FakeWorld, verb: Verb) -> None:
    with pytest.raises(NotFoundError):
        verb(a_cluster_spec("other"), (), made.ports.cluster(ClusterName("other")))
    with pytest.raises(UsageError):
        verb(a_cluster_spec(), ["worker9"], made.ports)
    ports = made.ports.cluster(DEMO)
    with ports.lock(), pytest.raises(LockedError):
        verb(a_cluster_spec(), (), ports)
    assert made.journal.changes == []


def test_start_all_starts_every_cluster_that_it_can(made: FakeWorld) -> None:
    specs = {DEMO: a_cluster_spec(), ClusterName("gone"): a_cluster_spec("gone")}
    stop(DEMO, (), made.ports)
    results, failures = start_all(specs, made.ports)
    assert list(results) == [DEMO]
    assert [type(error) for error in failures.errors] == [NotFoundError]
    assert states(made) == dict.fromkeys(ALL, RUNNING)


def test_a_cluster_with_a_node_that_is_off_is_not_verified_at_once(made: FakeWorld) -> None:
    stop(DEMO, [WORKER2], made.ports)
    made.journal.clear()
    with pytest.raises(VerifyError) as caught:
        verify(DEMO, made.ports)
    assert (caught.value.details, caught.value.hint) == (
        "worker2: shut off",
        "bootstrap start demo",
    )
    assert not any(call.startswith("api.verify") for call in made.journal.calls)


def test_a_node_that_never_answers_again_is_named(made: FakeWorld) -> None:
    stop(DEMO, (), made.ports)
    made.journal.failures["shell.is_ready"] = NotYet("refused")
    with pytest.raises(TimedOutError):
        start(a_cluster_spec(), (), made.ports)
