"""`bootstrap node`: what it takes, writes and ends with."""

import itertools
import json

import pytest

from bootstrap.waiting import wait_for
from tests.fakes.cluster_api import FakePod
from tests.unit.cli.conftest import FakeCommandLine as CommandLine


def nodes(line: CommandLine) -> list[str]:
    return [domain.name for domain in line.world.hypervisor.domains()]


def test_nodes_are_added_removed_and_replaced(demo: CommandLine) -> None:
    text = demo.done("node", "add", "demo", "--count", "2", "--memory", "4GiB", "--disk", "30GiB")
    assert "Cluster 'demo' is verified: 1 control plane, 3 workers," in text
    facts = demo.world.hypervisor.domains()[-1].mark.facts
    assert (facts["memoryMiB"], facts["diskGiB"], facts["cpus"]) == ("4096", "30", "1")
    text = demo.done("node", "remove", "demo", "worker", "worker2")
    assert text.splitlines()[-1] == (
        "Removed worker, worker2. Cluster 'demo' is verified: control-plane, worker3."
    )
    assert nodes(demo) == ["control-plane", "worker3"]
    text = demo.done("node", "replace", "demo", "worker3")
    assert "Cluster 'demo' is verified: 1 control plane, 1 worker," in text
    assert nodes(demo) == ["control-plane", "worker3"]
    assert demo.world.hypervisor.domains()[-1].mark.facts["memoryMiB"] == "4096"


def test_results_as_data(demo: CommandLine) -> None:
    added = json.loads(demo.done("node", "add", "demo", "-o", "json"))
    assert [node["name"] for node in added["nodes"]] == ["control-plane", "worker", "worker2"]
    data = json.loads(demo.done("node", "remove", "demo", "worker2", "-o", "json"))
    assert (data["removed"], data["verified"]) == (["worker2"], True)
    assert data["nodes"] == ["control-plane", "worker"]
    assert all(check["ok"] for check in data["checks"])
    assert demo.done("node", "replace", "demo", "worker", "-o", "name") == "demo\n"


@pytest.mark.parametrize(
    "words",
    [
        ("add", "../x"),
        ("add", "demo", "--memory", "1MiB"),
        ("add", "demo", "--count", "0"),
        ("add", "demo", "--count", "99"),
        ("remove", "demo"),
        ("remove", "demo", "worker7"),
        ("remove", "demo", "control-plane"),
        ("remove", "demo", "worker", "--timeout", "0"),
        ("replace", "demo", "control-plane"),
        ("replace", "demo", "worker7"),
    ],
)
def test_wrong_use_ends_with_two_and_changes_nothing(
    demo: CommandLine, words: tuple[str, ...]
) -> None:
    """X-05."""
    demo.world.journal.clear()
    demo.failed(2, "node", *words)
    assert demo.world.journal.changes == []


@pytest.mark.parametrize(
    "words", ["add nowhere", "remove nowhere worker", "replace nowhere worker"]
)
def test_a_cluster_that_does_not_exist_is_an_error_as_elsewhere(
    demo: CommandLine, words: str
) -> None:
    demo.world.journal.clear()
    assert "There is no cluster 'nowhere'" in demo.failed(6, "node", *words.split())
    assert demo.world.journal.changes == []


def test_a_pod_that_stays_ends_with_five_and_force_does_not_wait(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X-04."""
    seconds = itertools.count()
    defaults = wait_for.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda _: None)
    monkeypatch.setitem(defaults, "clock", lambda: next(seconds))
    demo.world.api.pods = [FakePod(name="db-0", node="worker", budget="db")]
    error = demo.failed(5, "node", "remove", "demo", "worker", "--timeout", "1")
    assert "pod default/db-0 on worker" in error
    assert "hint: bootstrap node remove demo worker --force" in error
    assert nodes(demo) == ["control-plane", "worker"]
    demo.done("node", "remove", "demo", "worker", "--force")
    assert nodes(demo) == ["control-plane"]


def test_up_removes_what_is_too_much_only_if_told(demo: CommandLine) -> None:
    demo.done("up", "demo", "--workers", "3")
    assert "worker2, worker3" in demo.failed(2, "up", "demo", "--workers", "1")
    demo.done("up", "demo", "--workers", "1", "--remove")
    assert nodes(demo) == ["control-plane", "worker"]
