"""All that explains a cluster is gathered, and what is missing is named with the reason."""

import json
from typing import Any

import pytest

from bootstrap.errors import BootstrapError, HostError, NotFoundError, UsageError
from bootstrap.model.names import ClusterName
from bootstrap.ports import ShellResult
from bootstrap.workflow.gathering import QUESTIONS, RESOURCES, gather
from bootstrap.workflow.logs import collect_logs, follow_journal
from bootstrap.workflow.nodes import existing_domains
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options, ports_with_fakes
from tests.fakes.volumes import PANIC

DEMO = ClusterName("demo")
NODES = ("control-plane", "worker")


@pytest.fixture
def world() -> FakeWorld:
    made = ports_with_fakes()
    up(a_cluster_spec("demo"), made.ports, options())
    made.files.files["demo"] |= {"logs/ansible.log": "ok\n", "runs/1.ndjson": "{}\n"}
    return made


def gathered(world: FakeWorld) -> tuple[dict[str, str], dict[str, Any]]:
    texts = gather(DEMO, existing_domains(DEMO, world.ports), world.ports, patience=6)
    manifest: dict[str, Any] = json.loads(texts.pop("manifest.json"))
    assert manifest["collected"] == sorted(texts)
    return texts, manifest


def test_everything_of_a_cluster_that_is_well_is_there(world: FakeWorld) -> None:
    texts, manifest = gathered(world)
    consoles = {f"nodes/{node}/console.txt" for node in NODES}
    assert set(manifest["missing"]) == consoles, "the fakes have no files"
    wanted = {f"nodes/{node}/{name}" for node in NODES for name in QUESTIONS}
    wanted |= {f"kubernetes/{name.partition('.')[0]}.json" for name in RESOURCES}
    wanted |= {"kubernetes/readyz.txt", "versions.json", "machines.json", "plan.json"}
    assert set(texts) == wanted | {"logs/ansible.log", "runs/1.ndjson"}
    assert manifest["cluster"] == "demo"
    assert manifest["nodes"] == list(NODES)
    plan = json.loads(texts["plan.json"])
    assert [node["exists"] for node in plan["nodes"]] == [True, True]
    assert [one["state"] for one in json.loads(texts["machines.json"])] == ["running"] * 3
    assert "worker" in texts["kubernetes/nodes.json"]


def test_a_node_that_does_not_answer_and_a_dead_api_server_cost_nothing_else(
    world: FakeWorld,
) -> None:
    world.hypervisor.power_off_domain("demo-worker")
    world.api.is_up = False
    texts, manifest = gathered(world)
    missing = manifest["missing"]
    assert missing["nodes/worker/kubelet.txt"] == "connection refused"
    assert missing["kubernetes/pods.json"] == "connection refused"
    assert missing["kubernetes/readyz.txt"] == "connection refused"
    assert {f"nodes/control-plane/{name}" for name in QUESTIONS} < set(texts)
    assert {"plan.json", "machines.json", "runs/1.ndjson"} < set(texts)
    assert not any(path.startswith(("kubernetes/", "nodes/worker/")) for path in texts)


def test_a_node_is_asked_one_question_at_a_time_and_no_more_after_two_without_an_answer(
    world: FakeWorld,
) -> None:
    """Logins at once starve an emulated node: it answered two of eight."""
    world.hypervisor.power_off_domain("demo-worker")
    world.journal.clear()
    gathered(world)
    asked = [call for call in world.journal.calls if call.startswith("shell.run")]
    assert sum("worker" in call for call in asked) == 2
    assert len(asked) == 2 + len(QUESTIONS)


def test_the_api_server_is_asked_before_the_nodes_and_no_more_after_two_without_an_answer(
    world: FakeWorld,
) -> None:
    """Sixteen questions at once beside the nodes' commands: one had no answer in ten seconds."""
    world.journal.clear()
    gathered(world)
    calls = world.journal.calls
    first = next(index for index, call in enumerate(calls) if call.startswith("shell.run"))
    objects = [index for index, call in enumerate(calls) if call.startswith("api.objects")]
    assert len(objects) == len(RESOURCES)
    assert max(objects) < first
    world.api.is_up = False
    world.journal.clear()
    gathered(world)
    assert sum(call.startswith("api.objects") for call in world.journal.calls) == 1


def test_what_fails_with_details_says_them(world: FakeWorld) -> None:
    failure = HostError("Could not ask.", details="one\ntwo", hint="bootstrap doctor")
    nodes = existing_domains(DEMO, world.ports)
    world.journal.failures["hypervisor.switches"] = failure
    missing = json.loads(gather(DEMO, nodes, world.ports, patience=6)["manifest.json"])["missing"]
    assert missing["machines.json"] == missing["plan.json"] == "Could not ask. one two"


def test_lost_local_files_are_named(world: FakeWorld) -> None:
    world.files.lose()
    _, manifest = gathered(world)
    assert manifest["missing"]["kubernetes/pods.json"] == "the cluster has no kubeconfig"
    assert "Could not read file" in manifest["missing"]["logs/ansible.log"]


def test_the_logs_of_one_node_have_no_other(world: FakeWorld) -> None:
    path = collect_logs(DEMO, "demo-worker", world.ports)
    texts = world.evidence.archives[path]
    assert json.loads(texts["manifest.json"])["nodes"] == ["worker"]
    assert not any(name.startswith("nodes/control-plane") for name in texts)
    assert "kubernetes/events.json" in texts


def test_no_cluster_and_no_such_node_are_errors(world: FakeWorld) -> None:
    with pytest.raises(NotFoundError):
        collect_logs(ClusterName("other"), None, world.ports)
    with pytest.raises(UsageError):
        collect_logs(DEMO, "worker9", world.ports)
    assert world.evidence.archives == {}


def test_a_journal_is_followed_line_by_line(world: FakeWorld) -> None:
    said = ShellResult(exit_status=0, stdout="one\ntwo\n", stderr="")
    world.shell.answers["exec journalctl --no-pager --follow --lines 20"] = said
    lines = follow_journal(DEMO, "worker", world.ports)
    assert (next(lines), next(lines)) == ("one", "two")


def test_a_node_that_is_off_has_no_journal_to_follow(world: FakeWorld) -> None:
    world.hypervisor.power_off_domain("demo-worker")
    with pytest.raises(BootstrapError, match="Node 'worker' does not run") as caught:
        next(follow_journal(DEMO, "worker", world.ports))
    assert caught.value.hint == "bootstrap start demo"


def test_a_node_that_boots_has_no_journal_to_follow(world: FakeWorld) -> None:
    world.volumes.consoles["worker"] = PANIC
    with pytest.raises(BootstrapError, match="Could not follow the journal") as caught:
        next(follow_journal(DEMO, "worker", world.ports))
    assert caught.value.hint == "bootstrap logs demo worker --console"
