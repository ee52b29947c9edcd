"""`up` on fakes with memory: from nothing, again, after failures, and what it refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from uuid import UUID

import pytest

from bootstrap.errors import (
    BootstrapError,
    HostError,
    LayoutError,
    LockedError,
    NotOursError,
    StateError,
    TimedOutError,
    UsageError,
    VerifyError,
)
from bootstrap.model.cluster import DomainState
from bootstrap.model.events import Status
from bootstrap.model.names import SWITCH, ClusterName
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import ClusterSpec, SecurityProfile
from bootstrap.ports import PlaybookResult, Reachable
from bootstrap.waiting import NotYet
from bootstrap.workflow.down import down
from bootstrap.workflow.up import UpResult, up
from tests.builders import FakeWorld, a_cluster_spec, options, ports_with_fakes
from tests.fakes.hypervisor import Defined
from tests.fakes.volumes import Held

CONTROL_PLANE, WORKER, WORKER2 = "control-plane", "worker", "worker2"
RUNNING = DomainState.RUNNING
STRICT = SecurityProfile.STRICT


def make(world: FakeWorld, spec: ClusterSpec | None = None, **changes: object) -> UpResult:
    spec = spec or a_cluster_spec()
    return up(spec, world.ports, options(**changes))  # type: ignore[arg-type]


def states(world: FakeWorld) -> dict[str, DomainState]:
    """Return the state of each node, and of what is not ours."""
    domains = world.hypervisor.domains_by_uuid.values()
    named = {one.mark.node if one.mark else one.name: one.state for one in domains}
    return {name: state for name, state in named.items() if name != SWITCH}


def refused(world: FakeWorld, spec: ClusterSpec, kind: type[BootstrapError], **more: bool) -> str:
    """Run `up`, which must refuse and change nothing; gives the error's whole text."""
    world.journal.clear()
    with pytest.raises(kind) as caught:
        make(world, spec, **more)
    assert world.journal.changes == []
    assert caught.value.hint.startswith("bootstrap ")
    return f"{caught.value.message} {caught.value.details}"


def test_a_cluster_is_made_from_nothing(world: FakeWorld) -> None:
    result = make(world)
    assert states(world) == {CONTROL_PLANE: RUNNING, WORKER: RUNNING}
    assert world.api.nodes == {CONTROL_PLANE: "Ready", WORKER: "Ready"}
    assert all(check.ok for check in result.checks)
    assert result.kubeconfig == result.plan.state_directory / "kubeconfig"
    assert world.kubeconfig.merged == {"demo"}
    assert world.kubeconfig.current == "demo"
    assert result.changed > 0


@pytest.mark.parametrize(("fetched", "told"), [("2029-12-20", False), ("2029-11-20", True)])
def test_a_new_cluster_of_old_packages_is_told_what_to_type(
    world: FakeWorld, fetched: str, *, told: bool
) -> None:
    """SEC-41: nothing upgrades a node by itself. An existing cluster keeps its image anyhow."""
    world.images.today = f"{fetched}T00:00:00+00:00"
    make(world)
    advice = [note for note in world.events.notes if "'bootstrap image build --refresh'" in note]
    assert len(advice) == told
    make(world)
    assert len(world.events.notes) == told


def test_the_steps_come_in_the_order_in_which_they_depend(world: FakeWorld) -> None:
    make(world)
    calls = [
        call.split()[0]
        for call in world.journal.calls
        if call.split()[0]
        in {
            *("host.check", "images.ensure", "files.ensure_files", "hypervisor.ensure_domain"),
            *("hypervisor.start_domain", "playbooks.run", "api.verify"),
            "kubeconfig.ensure_entries",
        }
    ]
    assert list(dict.fromkeys(calls)) == [
        "host.check",
        "images.ensure",
        "files.ensure_files",  # of another's directory, before a domain proves it ours
        "hypervisor.ensure_domain",
        "hypervisor.start_domain",
        "playbooks.run",
        "api.verify",
        "kubeconfig.ensure_entries",
    ]


def test_ports_are_chosen_under_the_lock_of_the_host(world: FakeWorld) -> None:
    """N-15: until the marks of domains name them, and not while disks and files are made."""
    make(world)
    calls = world.journal.calls
    assert "host.is_port_free without the lock" not in calls
    begin, end = calls.index("host.allocation"), calls.index("host.allocation ended")
    held = {call.split()[0] for call in calls[begin:end]}
    assert "hypervisor.ensure_domain" in held
    assert held.isdisjoint({"volumes.ensure_root_volume", "playbooks.run"})
    later = {call.split()[0] for call in calls[end:]}
    assert "hypervisor.ensure_domain" not in later
    assert "files.ensure_files" in later


def test_the_second_run_changes_nothing(world: FakeWorld) -> None:
    """G-19, A-04."""
    make(world)
    world.journal.clear()
    result = make(world)
    assert result.changed == 0
    assert world.journal.changes == []


def test_nodes_that_are_as_wanted_are_asked_once(world: FakeWorld) -> None:
    """Each question costs an emulated node seconds; one that has rebooted is asked as a new one."""
    make(world)
    world.journal.clear()
    make(world)
    asked = [call for call in world.journal.calls if call.startswith("shell.")]
    assert sorted(asked) == [f"shell.run {CONTROL_PLANE}", f"shell.run {WORKER}"]
    power_cut(world, WORKER)
    world.journal.clear()
    assert make(world).changed == 0
    asked = [call for call in world.journal.calls if call.startswith("shell.")]
    assert asked == [
        f"shell.run {CONTROL_PLANE}",
        f"shell.is_ready {WORKER}",
        f"shell.run {WORKER}",
    ]


def power_cut(world: FakeWorld, name: str) -> None:
    domain = world.hypervisor.of_node(name)
    assert domain
    domain.state = DomainState.SHUT_OFF


def test_an_image_that_rotted_is_noticed_and_built_again_by_the_next_run(world: FakeWorld) -> None:
    """I-02, I-03: it is read while the machines boot, before anything else is done with them."""
    make(world, a_cluster_spec())
    down(ClusterName("demo"), world.ports)
    world.images.rotten.add(world.images.key)
    world.journal.clear()
    with pytest.raises(StateError, match="SHA-256") as caught:
        make(world)
    assert "The machines were removed." in caught.value.details
    assert caught.value.hint == "bootstrap image build"
    assert states(world) == {}
    assert not [call for call in world.journal.calls if call.startswith("playbooks.")]
    make(world)
    assert world.images.rotten == set()
    assert "images.ensure v1.37.2" in world.journal.calls


def test_the_image_of_a_cluster_that_exists_is_not_read(world: FakeWorld) -> None:
    make(world)
    world.images.rotten.add(world.images.key)
    make(world)


def test_a_node_that_boots_gives_the_others_their_whole_time_anew(
    world: FakeWorld, slept: list[float]
) -> None:
    """On a busy host the last of many nodes boots long after the first."""
    ready = {CONTROL_PLANE: 0, WORKER: 100, WORKER2: 200}
    known = world.shell.is_ready

    def is_ready(node: Reachable) -> None:
        if sum(slept) < ready[node.name]:
            raise NotYet(f"{node.name} still boots")
        known(node)

    world.shell.is_ready = is_ready  # type: ignore[method-assign]
    make(world, a_cluster_spec(workers=2))
    assert 200 <= sum(slept) < 210


def test_a_failed_verification_names_the_likely_culprit(world: FakeWorld) -> None:
    """V-08."""
    make(world)
    world.api.sick_checks.add("pod to pod")
    world.journal.failures[f"shell.run {WORKER}"] = BootstrapError("The node is silent.")
    with pytest.raises(VerifyError) as caught:
        make(world)
    assert "\nLikely culprit: The node is silent." in caught.value.details
    waits = [detail for status, _, _, detail in world.events.seen if status is Status.WAITING]
    assert any("pod to pod" in line for line in waits)


def test_the_seeds_are_emptied_after_the_first_boot(world: FakeWorld) -> None:
    """SEC-07."""
    plan = make(world).plan
    files = world.volumes.held["demo"].files
    assert [files[node.seed_volume] for node in plan.nodes] == [None, None]


def test_the_join_token_is_gone_when_all_have_joined(world: FakeWorld) -> None:
    """SEC-08."""
    make(world)
    assert "api.create_join_token" in world.journal.changes
    assert world.api.tokens == set()


def test_the_join_token_is_gone_when_joining_fails_too(world: FakeWorld) -> None:
    """SEC-08."""
    make(world)
    world.journal.failures[f"playbooks.run {WORKER2}"] = BootstrapError("no")
    with pytest.raises(BootstrapError):
        make(world, a_cluster_spec(workers=2))
    assert world.api.tokens == set()


def test_the_context_is_switched_only_if_asked(world: FakeWorld) -> None:
    """H-18."""
    world.kubeconfig.current = "another"
    make(world)
    assert world.kubeconfig.current == "another"
    make(world, use=True)
    assert world.kubeconfig.current == "demo"


def test_a_cluster_without_workers_is_a_cluster(world: FakeWorld) -> None:
    make(world, a_cluster_spec(workers=0))
    assert world.api.nodes == {CONTROL_PLANE: "Ready"}


def test_growing_touches_the_new_node_and_the_switch_only(world: FakeWorld) -> None:
    before = make(world).plan
    world.journal.clear()
    after = make(world, a_cluster_spec(workers=2)).plan
    changes = world.journal.changes_of("hypervisor", "playbooks")
    assert changes == [
        "hypervisor.ensure_switch demo-switch",
        f"hypervisor.ensure_domain demo-{WORKER2}",
        f"hypervisor.start_domain demo-{WORKER2}",
        f"playbooks.run {WORKER2}",
    ]
    plays = [call for call in world.journal.calls if call.startswith("playbooks.run")]
    assert plays == [f"playbooks.run {WORKER2}"]
    assert world.api.nodes == dict.fromkeys((CONTROL_PLANE, WORKER, WORKER2), "Ready")
    assert after.workers[0] == before.workers[0]
    world.journal.clear()
    assert make(world, a_cluster_spec(workers=2)).changed == 0
    assert world.journal.changes == []


def test_growing_keeps_the_day_on_which_a_node_was_made(world: FakeWorld) -> None:
    """So does the switch, which is defined anew for the new cable."""
    make(world)
    later = world.ports
    later.now = lambda: "2031-01-01T00:00:00+00:00"
    up(a_cluster_spec(workers=2), later, options())
    created = {domain.name: domain.mark.created[:4] for domain in world.hypervisor.domains()}
    assert created == {CONTROL_PLANE: "2030", WORKER: "2030", WORKER2: "2031"}
    (switch,) = world.hypervisor.switches()
    assert switch.mark.created[:4] == "2030"


def test_only_workers_that_have_not_joined_join(world: FakeWorld) -> None:
    make(world)
    joined: list[object] = []
    original = world.playbooks.run

    def spy(
        plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        configs = secrets.get("kubeadm_join_configs", {})
        assert isinstance(configs, Mapping)
        joined.extend(configs)
        return original(plan, nodes, secrets=secrets)

    world.playbooks.run = spy  # type: ignore[method-assign]
    make(world, a_cluster_spec(workers=2))
    assert joined == [WORKER2]


def test_fewer_workers_are_refused_if_the_user_chose_the_number(world: FakeWorld) -> None:
    """X-05."""
    make(world, a_cluster_spec(workers=2))
    text = refused(world, a_cluster_spec(workers=1), UsageError)
    assert "has 2 workers, and 1 are asked for" in text


def test_existing_workers_stay_if_the_user_chose_no_number(world: FakeWorld) -> None:
    make(world, a_cluster_spec(workers=2))
    world.journal.clear()
    assert len(make(world, a_cluster_spec(workers=1), chosen=frozenset()).plan.workers) == 2
    assert world.journal.changes == []


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (a_cluster_spec(memory_mib=4096), "worker: memoryMiB is 2048, asked for is 4096"),
        (a_cluster_spec(labels={"a": "b"}), "worker: labels is none, asked for is a=b"),
        (a_cluster_spec(pod_subnet=IPv4Network("10.1.0.0/16")), "podSubnet"),
        (a_cluster_spec(service_subnet=IPv4Network("10.2.0.0/16")), "serviceSubnet"),
        (a_cluster_spec(node_subnet=IPv4Network("10.3.0.0/24")), "nodeSubnet"),
        (a_cluster_spec(host_access=True), "hostAccess is false, asked for is true"),
        (replace(a_cluster_spec(), kubernetes_version="v1.36.0"), "kubernetesVersion"),
        (a_cluster_spec(api_server_port=30000), "API server"),
        (a_cluster_spec(profile=STRICT), "made with the security profile 'default'; 'strict'"),
    ],
)
def test_what_an_existing_cluster_cannot_become_is_refused(
    world: FakeWorld, spec: ClusterSpec, word: str
) -> None:
    make(world)
    assert word in refused(world, spec, UsageError)


def test_another_profile_is_wrong_use_and_the_hint_names_the_one_that_is(world: FakeWorld) -> None:
    """X-05: the kinds of nodes stay, so does what they were closed with."""
    make(world, a_cluster_spec(profile=STRICT))
    with pytest.raises(UsageError) as caught:
        make(world)
    assert caught.value.exit_code == 2
    assert caught.value.hint == "bootstrap up demo --security-profile strict"


def test_every_field_of_every_node_that_differs_is_named_with_both_values(
    world: FakeWorld,
) -> None:
    """X-05: the cluster file says one thing and the machines are another."""
    labelled = a_cluster_spec(labels={"disk": "fast", "arch/x": ""}, workers=2)
    make(world, labelled)
    planes, workers = labelled.node_groups
    changed = replace(
        labelled,
        node_groups=(
            replace(planes, cpus=4, disk_gib=30),
            replace(workers, labels={"disk": "slow"}),
        ),
    )
    with pytest.raises(UsageError) as caught:
        make(world, changed)
    assert caught.value.details.splitlines() == [
        "control-plane: cpus is 2, asked for is 4",
        "control-plane: diskGiB is 20, asked for is 30",
        "worker: labels is arch/x=,disk=fast, asked for is disk=slow",
        "worker2: labels is arch/x=,disk=fast, asked for is disk=slow",
    ]
    world.journal.clear()
    make(world, labelled)
    assert world.journal.changes == []


def test_the_port_of_the_api_server_can_be_chosen_once_and_named_again(world: FakeWorld) -> None:
    spec = a_cluster_spec(api_server_port=30000)
    assert make(world, spec).plan.server == "https://127.0.0.1:30000"
    world.journal.clear()
    assert make(world, spec).changed == 0
    assert make(world).plan.server == "https://127.0.0.1:30000"


def test_a_wanted_port_that_is_in_use_is_refused(world: FakeWorld) -> None:
    """N-12."""
    world.host.used_ports.add(30000)
    with pytest.raises(HostError, match="30000"):
        make(world, a_cluster_spec(api_server_port=30000))
    assert states(world) == {}


def test_a_port_of_another_cluster_is_not_given_even_while_that_is_off(world: FakeWorld) -> None:
    make(world, a_cluster_spec("other", api_server_port=30000))
    for domain in world.hypervisor.domains_by_uuid.values():
        domain.state = DomainState.SHUT_OFF
    with pytest.raises(HostError, match="30000"):
        make(world, a_cluster_spec(api_server_port=30000))


def test_a_used_port_is_passed_over(world: FakeWorld) -> None:
    first = make(world).plan.initial_control_plane.ssh_port
    fresh = ports_with_fakes()
    fresh.host.used_ports.add(first)
    assert make(fresh).plan.initial_control_plane.ssh_port != first


def test_lost_keys_are_told_before_anything_is_changed(world: FakeWorld) -> None:
    """L-03, G-06."""
    make(world)
    world.trust.lose()
    assert "keys of cluster 'demo'" in refused(world, a_cluster_spec(), StateError)


def test_a_lost_encryption_key_is_told_before_secrets_become_unreadable(world: FakeWorld) -> None:
    """SEC-36: a new key in the nodes' files would lock the API server out of etcd."""
    spec = a_cluster_spec(profile=STRICT)
    make(world, spec)
    assert make(world, spec).changed == 0
    world.trust.lose_encryption_key()
    assert "keys of cluster 'demo'" in refused(world, spec, StateError)


def test_an_image_that_is_gone_is_told(world: FakeWorld) -> None:
    """I-13."""
    make(world)
    world.images.built.clear()
    assert "is gone" in refused(world, a_cluster_spec(), StateError)


def test_an_existing_cluster_keeps_its_image_when_a_new_one_would_be_built(
    world: FakeWorld,
) -> None:
    make(world)
    world.images.key = "fedcba9876543210"
    world.journal.clear()
    assert make(world, a_cluster_spec(workers=2)).changed > 0
    assert set(world.images.built) == {"0123456789abcdef"}


def test_an_existing_cluster_keeps_its_acceleration(world: FakeWorld) -> None:
    world.host.accelerated = Acceleration.EMULATED
    make(world)
    world.host.accelerated = Acceleration.KVM
    world.journal.clear()
    assert make(world).plan.is_emulated
    assert world.journal.changes == []


def test_a_host_that_is_too_small_is_refused_before_anything(world: FakeWorld) -> None:
    """P-10."""
    world.host.memory_mib = 4096
    with pytest.raises(HostError):
        make(world)
    assert world.journal.changes == []
    make(world, allow_overcommit=True)


def test_the_memory_of_running_nodes_counts_once(world: FakeWorld) -> None:
    make(world)
    world.host.memory_mib = 2048
    make(world, a_cluster_spec(workers=2))


def test_a_foreign_kubeconfig_entry_is_refused_before_anything_is_made(world: FakeWorld) -> None:
    """H-17: it would be refused a quarter of an hour later, and the machines removed again."""
    world.kubeconfig.foreign.add("demo")
    with pytest.raises(NotOursError):
        make(world)
    assert world.journal.changes == []


def test_a_foreign_domain_with_a_nodes_name_is_refused_and_nothing_is_left(
    world: FakeWorld,
) -> None:
    """L-17."""
    foreign = Defined(f"demo-{WORKER}", UUID(int=7))
    world.hypervisor.domains_by_uuid[foreign.uuid] = foreign
    with pytest.raises(NotOursError):
        make(world)
    assert states(world) == {f"demo-{WORKER}": DomainState.SHUT_OFF}
    assert world.volumes.held == {}


def test_a_foreign_directory_is_refused_and_kept(world: FakeWorld) -> None:
    world.volumes.held["demo"] = Held(owner=None)
    with pytest.raises(NotOursError):
        make(world)
    assert "demo" in world.volumes.held
    assert states(world) == {}


def test_a_cluster_that_is_not_verified_is_an_error_with_all_evidence(world: FakeWorld) -> None:
    """V-07: the evidence is saved while the machines are still there."""
    world.api.sick_checks.add("dns")
    with pytest.raises(VerifyError) as caught:
        make(world)
    assert caught.value.exit_code == 8
    assert "FAILED dns: as told" in caught.value.details
    assert "ok     nodes" in caught.value.details
    assert "Evidence: /state/demo/logs/demo-logs-0.tar.gz" in caught.value.details
    assert "The machines were removed" in caught.value.details
    calls = [call for call in world.journal.calls if "evidence" in call or "remove_" in call]
    last = calls.index("evidence.save demo")
    assert [call.split()[0] for call in calls[last + 1 :]] == [
        "hypervisor.remove_domain",
        "hypervisor.remove_domain",
        "hypervisor.remove_domain",
        "volumes.remove_cluster",
    ]
    assert states(world) == {}
    assert world.kubeconfig.merged == set()


@pytest.mark.parametrize("error", [LockedError("Locked."), HostError("Read-only.")])
def test_a_kubeconfig_that_takes_no_entries_costs_no_verified_cluster(
    world: FakeWorld, error: BootstrapError
) -> None:
    """H-12: the cluster stays, and the error names its own kubeconfig and how to merge later."""
    world.journal.failures["kubeconfig.ensure_entries"] = error
    with pytest.raises(type(error)) as caught:
        make(world)
    assert set(states(world).values()) == {DomainState.RUNNING}
    assert "/state/demo/kubeconfig" in caught.value.details
    assert "verified" in caught.value.details
    assert caught.value.hint == "bootstrap kubeconfig demo --merge"
    assert not any("evidence" in call for call in world.journal.calls)


def test_machines_stay_if_asked(world: FakeWorld) -> None:
    world.api.sick_checks.add("dns")
    with pytest.raises(VerifyError) as caught:
        make(world, keep=True)
    assert "removed" not in caught.value.details
    assert set(states(world)) == {CONTROL_PLANE, WORKER}


def test_a_failure_on_an_existing_cluster_removes_nothing(world: FakeWorld) -> None:
    make(world)
    world.api.sick_checks.add("dns")
    with pytest.raises(VerifyError):
        make(world)
    assert set(states(world)) == {CONTROL_PLANE, WORKER}
    world.api.sick_checks.clear()
    assert make(world).changed == 0


def test_a_removal_that_fails_does_not_hide_why_up_failed(world: FakeWorld) -> None:
    world.api.sick_checks.add("dns")
    world.journal.failures["volumes.remove_cluster"] = BootstrapError("Disk is busy.")
    with pytest.raises(VerifyError) as caught:
        make(world)
    assert "The machines were not removed: Disk is busy." in caught.value.details


def test_a_node_that_does_not_boot_in_time_is_kept(world: FakeWorld, slept: list[float]) -> None:
    """N-01, exit 5: a rerun may find it ready."""
    world.journal.failures[f"shell.is_ready {WORKER}"] = NotYet("connection refused")
    with pytest.raises(TimedOutError) as caught:
        make(world)
    assert caught.value.exit_code == 5
    assert "Last seen: connection refused" in caught.value.details
    assert caught.value.hint == f"bootstrap logs demo {WORKER} --console"
    assert set(states(world)) == {CONTROL_PLANE, WORKER}
    assert 120 <= sum(slept) < 130
    world.journal.failures.clear()
    assert make(world).changed > 0


def test_emulation_gets_six_times_the_patience(world: FakeWorld, slept: list[float]) -> None:
    world.host.accelerated = Acceleration.EMULATED
    world.journal.failures["shell.is_ready"] = NotYet("connection refused")
    with pytest.raises(TimedOutError):
        make(world)
    assert 720 <= sum(slept) < 730


def test_a_healthy_node_with_an_old_panic_on_its_console_is_left_alone(world: FakeWorld) -> None:
    """A kernel that died long ago has rebooted by itself, and the text stays."""
    make(world)
    world.volumes.consoles[WORKER] += "Kernel panic - not syncing: Fatal exception\n"
    world.journal.clear()
    make(world)
    assert not [change for change in world.journal.changes if "power_off" in change]


@pytest.mark.parametrize("panics", [1, 2])
def test_a_kernel_that_dies_is_started_again_twice_at_most(world: FakeWorld, panics: int) -> None:
    world.volumes.panics[WORKER] = panics
    make(world)
    starts = world.journal.changes.count(f"hypervisor.start_domain demo-{WORKER}")
    assert starts == 1 + panics
    assert len(world.events.notes) == panics


def test_a_kernel_that_dies_three_times_is_an_error_with_its_console(
    world: FakeWorld, slept: list[float]
) -> None:
    world.volumes.panics[CONTROL_PLANE] = 3
    with pytest.raises(BootstrapError, match="died 3 times") as caught:
        make(world)
    assert "Kernel panic" in caught.value.details
    assert sum(slept) < 60


def test_another_machine_that_answers_ends_the_wait_at_once(
    world: FakeWorld, slept: list[float]
) -> None:
    """S-01, N-10."""
    world.journal.failures["shell.is_ready"] = BootstrapError("It is not that node.")
    with pytest.raises(BootstrapError, match="not that node"):
        make(world)
    assert slept == []


def test_an_api_server_that_does_not_answer_is_timed_out(world: FakeWorld) -> None:
    world.journal.failures["api.joined_nodes"] = NotYet("503")
    with pytest.raises(TimedOutError, match="API server") as caught:
        make(world)
    assert "Last seen: 503" in caught.value.details


def starts_before_playbook(world: FakeWorld) -> list[str]:
    calls = world.journal.calls
    first = calls.index(f"playbooks.run {CONTROL_PLANE}")
    return [call for call in calls[:first] if "start_domain" in call and SWITCH not in call]


@pytest.mark.parametrize(
    ("acceleration", "cores", "is_staged"),
    [
        (Acceleration.EMULATED, 2, True),
        (Acceleration.EMULATED, 3, False),
        (Acceleration.KVM, 2, False),
    ],
)
def test_workers_boot_later_when_emulated_on_few_cores(
    world: FakeWorld, acceleration: Acceleration, cores: int, *, is_staged: bool
) -> None:
    """The second machine's boot would be paid for by the first one's API server."""
    world.host.accelerated, world.host.cores = acceleration, cores
    make(world)
    assert len(starts_before_playbook(world)) == (1 if is_staged else 2)
    assert states(world) == {CONTROL_PLANE: RUNNING, WORKER: RUNNING}


@pytest.mark.parametrize("state", [DomainState.SHUT_OFF, DomainState.PAUSED, DomainState.SAVED])
def test_nodes_that_do_not_run_run_again(world: FakeWorld, state: DomainState) -> None:
    """L-10, D-02, D-07."""
    make(world)
    for domain in world.hypervisor.domains_by_uuid.values():
        domain.state = state
    world.journal.clear()
    assert make(world).changed == 0
    assert states(world) == {CONTROL_PLANE: RUNNING, WORKER: RUNNING}
    assert world.journal.changes[0] == "hypervisor.start_domain demo-switch"


def test_only_the_switch_that_died_is_started_again(world: FakeWorld) -> None:
    make(world)
    switch = world.hypervisor.named("demo-switch")
    assert switch is not None
    switch.state = DomainState.SHUT_OFF
    world.journal.clear()
    assert make(world).changed == 0
    assert world.journal.changes == ["hypervisor.start_domain demo-switch"]


def test_a_node_that_was_reset_is_visited_again(world: FakeWorld) -> None:
    """What a node says of itself decides, not what this host believes."""
    make(world)
    world.volumes.held["demo"].memory[WORKER].clear()
    world.journal.clear()
    make(world)
    plays = [call for call in world.journal.calls if call.startswith("playbooks.run")]
    assert plays == [f"playbooks.run {WORKER}"]


def test_a_cluster_with_a_hole_in_its_names_stays_as_it_is_and_grows_into_it(
    world: FakeWorld,
) -> None:
    before = make(world, a_cluster_spec(workers=3)).plan
    hole = before.workers[1]
    del world.hypervisor.domains_by_uuid[hole.uuid], world.api.nodes[hole.name]
    del world.volumes.held["demo"].memory[hole.name]
    kept = make(world, a_cluster_spec(workers=2)).plan
    assert kept.workers == (before.workers[0], before.workers[2])
    assert make(world, a_cluster_spec(workers=3)).plan.workers == before.workers


@pytest.mark.parametrize(("layout", "age"), [(1, "an older"), (99, "a newer")])
def test_a_cluster_of_another_layout_is_left_alone_but_can_be_removed(
    world: FakeWorld, layout: int, age: str
) -> None:
    make(world)
    for domain in world.hypervisor.domains_by_uuid.values():
        assert domain.mark is not None
        domain.mark = replace(domain.mark, layout=layout)
    text = refused(world, a_cluster_spec(), LayoutError)
    assert f"{age} version" in text
    assert f"layout is {layout}" in text
    assert len(down(ClusterName("demo"), world.ports).domains) == 3
    assert states(world) == {}


def test_a_run_that_was_cut_off_after_any_change_is_finished_by_the_next() -> None:
    """G-01, G-02, R-06: as a kill would, nothing is cleaned up in between."""
    reference = ports_with_fakes()
    make(reference)
    wanted = reference.journal.changes
    for number in range(1, len(wanted) + 1):
        fresh = ports_with_fakes()
        fresh.journal.killed_after = number
        with pytest.raises(KeyboardInterrupt):
            make(fresh)
        fresh.journal.killed_after = None
        make(fresh)
        assert states(fresh) == states(reference), f"cut off after {wanted[number - 1]}"
        assert fresh.api.nodes == reference.api.nodes
        fresh.journal.clear()
        assert make(fresh).changed == 0
        assert fresh.journal.changes == []


def test_a_failure_while_clearing_up_is_told_beside_the_first_one(world: FakeWorld) -> None:
    """G-14: what made it fail must not be hidden by what followed from it."""
    world.journal.failures[f"hypervisor.ensure_domain demo-{WORKER}"] = HostError("no room")
    world.journal.failures["hypervisor.remove_domain"] = TimedOutError("it hangs")
    with pytest.raises(HostError, match="no room") as caught:
        make(world)
    assert "it hangs" in caught.value.details
