"""Commands without the cluster's file ask only for what they name."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import FakeCommandLine as CommandLine

FILE = """\
apiVersion: bootstrap.dev/v1alpha1
kind: Cluster
metadata: {name: demo}
nodes:
- {role: control-plane, memory: 4GiB, cpus: 3}
- {role: worker, labels: {disk: fast, example.com/empty: ""}}
- {role: worker, disk: 30GiB, memory: 3GiB}
networking: {podSubnet: 10.32.0.0/16}
security: {profile: strict}
"""


@pytest.fixture(name="odd")
def _odd(line: CommandLine, tmp_path: Path) -> CommandLine:
    """Have a cluster that is in nothing as the default one."""
    file = tmp_path / "cluster.yaml"
    file.write_text(FILE)
    line.done("up", "-f", str(file))
    line.world.journal.clear()
    return line


def test_up_and_plan_without_the_file_keep_the_cluster_as_it_is(odd: CommandLine) -> None:
    """G-19: `up NAME` makes sure of the cluster that is there."""
    made = json.loads(odd.done("plan", "demo", "-o", "json"))
    assert [node["memoryMiB"] for node in made["nodes"]] == [4096, 2048, 3072]
    assert [node["labels"] for node in made["nodes"]] == [
        {},
        {"disk": "fast", "example.com/empty": ""},
        {},
    ]
    assert made["networking"]["podSubnet"] == "10.32.0.0/16"
    assert made["security"] == {"profile": "strict"}
    assert json.loads(odd.done("up", "demo", "-o", "json"))["changed"] == 0
    assert odd.world.journal.changes == []


def test_a_node_that_is_added_is_like_the_last_one_of_its_role(odd: CommandLine) -> None:
    odd.done("up", "demo", "--workers", "4")
    domains = odd.world.hypervisor.domains()
    assert [domain.mark.facts["diskGiB"] for domain in domains] == ["20", "20", "30", "30", "30"]


@pytest.mark.parametrize("command", ["up", "plan"])
def test_a_flag_that_differs_is_refused(odd: CommandLine, command: str) -> None:
    """X-05: what was named is meant."""
    error = odd.failed(2, command, "demo", "--memory", "3GiB")
    assert "control-plane: memoryMiB is 4096, asked for is 3072" in error
    assert "worker: memoryMiB is 2048, asked for is 3072" in error
    assert "worker2" not in error
    assert "hint: bootstrap down demo" in error
    assert odd.world.journal.changes == []


def test_another_profile_that_was_named_is_refused(odd: CommandLine) -> None:
    error = odd.failed(2, "up", "demo", "--security-profile", "default")
    assert "hint: bootstrap up demo --security-profile strict" in error


def test_another_version_is_kept_only_if_it_was_not_named(odd: CommandLine) -> None:
    for domain in odd.world.hypervisor.domains_by_uuid.values():
        assert domain.mark is not None
        old = dict.fromkeys(("kubernetesVersion", "kubeletVersion"), "v1.36.0")
        facts = {**domain.mark.facts, **old}
        object.__setattr__(domain.mark, "facts", facts)
    assert json.loads(odd.done("plan", "demo", "-o", "json"))["kubernetesVersion"] == "v1.36.0"
    error = odd.failed(2, "plan", "demo", "--kubernetes-version", "v1.37.2")
    assert "kubernetesVersion is v1.36.0, asked for is v1.37.2" in error


def test_a_cluster_of_a_profile_stays_as_it_is_with_and_without_it(line: CommandLine) -> None:
    line.done("up", "demo", "--profile", "ci")
    line.world.journal.clear()
    for words in (["--profile", "ci"], []):
        assert json.loads(line.done("up", "demo", *words, "-o", "json"))["changed"] == 0
        nodes = json.loads(line.done("plan", "demo", *words, "-o", "json"))["nodes"]
        assert [node["memoryMiB"] for node in nodes] == [2304, 1536, 1536]


def test_a_profile_of_other_sizes_is_refused(line: CommandLine) -> None:
    line.done("up", "demo", "--workers", "2")
    line.world.journal.clear()
    error = line.failed(2, "up", "demo", "--profile", "ci")
    assert "worker2: memoryMiB is 2048, asked for is 1536" in error
    assert line.world.journal.changes == []
