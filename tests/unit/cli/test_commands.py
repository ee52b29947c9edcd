"""Every command's results on stdout, everything else on stderr, and the exit codes."""

import json
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.locks import locked
from bootstrap.errors import BootstrapError, HostError, NotOursError, TimedOutError
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.waiting import NotYet
from tests.fakes.hypervisor import Defined
from tests.unit.cli.conftest import CommandLine

DEMO = ClusterName("demo")
NODES = ["demo-control-plane", "demo-worker"]
BAD_NAMES = ["../x", "Demo", "a b", "-x", "x" * 41, "", "a\nb", "/etc"]


def test_up_tells_the_result_on_stdout_and_the_steps_on_stderr(line: CommandLine) -> None:
    result = line.run("up", "demo")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok  api: ")
    assert "Cluster 'demo' is verified: 1 control plane, 1 worker," in result.stdout
    assert lines[-1] == "kubectl --kubeconfig /state/demo/kubeconfig get nodes"
    assert "Booting the nodes ..." in result.stderr
    assert "Booting" not in result.stdout


def test_up_again_says_that_nothing_changed(line: CommandLine) -> None:
    """G-19."""
    line.done("up", "demo")
    assert json.loads(line.done("up", "demo", "-o", "json"))["changed"] == 0


def test_up_as_data(line: CommandLine) -> None:
    data = json.loads(line.done("up", "demo", "--workers", "2", "-o", "json"))
    assert data["verified"] is True
    assert [node["name"] for node in data["nodes"]] == [*NODES, "demo-worker2"]
    assert all(check["ok"] for check in data["checks"])
    assert "Booting the nodes" in data["secondsByStep"]
    assert yaml.safe_load(line.done("up", "demo", "-o", "yaml"))["name"] == "demo"
    assert line.done("up", "demo", "-o", "name") == "demo\n"


def test_create_and_delete_are_the_same(line: CommandLine) -> None:
    line.done("create", "demo")
    assert line.done("delete", "demo").startswith("Cluster 'demo' is removed: domain")


def test_up_takes_a_file_and_flags_over_it(line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(line.done("init", "mine", "-f", "-"))
    data = json.loads(line.done("up", "-f", str(file), "--memory", "4GiB", "-o", "json"))
    assert data["name"] == "mine"
    facts = line.world.hypervisor.domains()[0].mark.facts
    assert facts["memoryMiB"] == "4096"


def test_fewer_workers_than_there_are_is_wrong_use(line: CommandLine) -> None:
    line.done("up", "demo", "--workers", "2")
    line.world.journal.clear()
    error = line.failed(2, "up", "demo", "--workers", "1")
    assert "error: Cluster 'demo' has 2 workers, and 1 are asked for." in error
    assert "hint: bootstrap up demo --workers 2" in error
    assert line.world.journal.changes == []


@pytest.mark.parametrize("command", ["up", "plan"])
@pytest.mark.parametrize("how", ["flag", "file"])
def test_up_and_plan_agree_on_who_named_the_workers(
    line: CommandLine, tmp_path: Path, command: str, how: str
) -> None:
    """A number from a flag or a file is the user's; without one the workers stay."""
    file = tmp_path / "cluster.yaml"
    file.write_text(line.done("init", "demo", "-f", "-"))
    line.done("up", "demo", "--workers", "2")
    words = {"flag": ["--workers", "1"], "file": ["-f", str(file)]}[how]
    assert "has 2 workers, and 1 are asked for" in line.failed(2, command, "demo", *words)
    line.done(command, "demo")


def test_plan_shows_how_the_nodes_run_and_not_how_new_ones_would(line: CommandLine) -> None:
    line.world.host.accelerated = Acceleration.EMULATED
    line.done("up", "demo")
    assert json.loads(line.done("plan", "demo", "-o", "json"))["acceleration"] == "emulated"


def test_an_error_is_drawn_in_three_parts_and_once(line: CommandLine) -> None:
    failure = BootstrapError("Could not x.", details="one\n[red]two[/red]", hint="bootstrap list")
    line.world.journal.failures["hypervisor.domains"] = failure
    assert line.failed(6, "list") == (
        "error: Could not x.\n  one\n  [red]two[/red]\nhint: bootstrap list\n"
    )


def test_what_a_guest_said_cannot_write_on_the_terminal(line: CommandLine) -> None:
    """H-09, SEC-15: evidence in an error is a guest's text."""
    failure = BootstrapError("Could not x.", details="\x1b]0;title\x07\x1b[2Jred\rover\x9b1m")
    line.world.journal.failures["hypervisor.domains"] = failure
    error = line.failed(6, "list")
    assert "red" in error
    assert not [char for char in error if char != "\n" and not char.isprintable()]


@pytest.mark.parametrize(
    ("failure", "exit_code"),
    [(HostError("x"), 3), (TimedOutError("x"), 5), (BootstrapError("x"), 6)],
)
def test_the_exit_code_is_the_errors(
    line: CommandLine, failure: BootstrapError, exit_code: int
) -> None:
    """G-24."""
    line.world.journal.failures["host.check"] = failure
    assert line.run("up", "demo").exit_code == exit_code


def test_a_cluster_that_is_not_verified_ends_with_8(line: CommandLine) -> None:
    line.world.api.sick_checks.add("dns")
    result = line.run("up", "demo")
    assert result.exit_code == 8
    assert result.stdout == ""
    assert "FAILED dns" in result.stderr


def test_a_foreign_domain_ends_with_7(line: CommandLine) -> None:
    """L-17."""
    foreign = Defined("demo-worker", UUID(int=7))
    line.world.hypervisor.domains_by_uuid[foreign.uuid] = foreign
    assert line.run("up", "demo").exit_code == 7


def test_lost_keys_end_with_9(demo: CommandLine) -> None:
    demo.world.trust.lose()
    assert "hint: bootstrap down demo" in demo.failed(9, "up", "demo")


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_second_run_is_told_who_works_there(line: CommandLine, command: str) -> None:
    """R-01, exit 4."""
    with locked(find_directories().cluster_lock(DEMO), what="x"):
        error = line.failed(4, command, "demo")
    assert "error: Another run works on cluster 'demo'." in error
    assert "holds the lock" in error


def test_looking_needs_no_lock(demo: CommandLine) -> None:
    """R-04."""
    with locked(find_directories().cluster_lock(DEMO), what="x"):
        for words in (["list"], ["status", "demo"], ["plan", "demo"], ["verify", "demo"]):
            demo.done(*words)


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("command", ["up", "down", "status", "verify", "logs", "kubeconfig"])
def test_a_bad_name_is_wrong_use(line: CommandLine, command: str, name: str) -> None:
    """H-01, H-06: and nothing was asked of any adapter."""
    result = line.run(command, "--", name)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert line.world.journal.calls == []


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["up", "--no-such-option"],
        ["up", "--workers", "many"],
        ["up", "demo", "extra"],
        ["list", "-o", "xml"],
        ["down"],
        ["down", "demo", "--all"],
        ["status"],
        ["logs", "demo", "--console"],
    ],
)
def test_wrong_use_ends_with_2(demo: CommandLine, words: list[str]) -> None:
    demo.world.journal.clear()
    assert demo.failed(2, *words)
    assert demo.world.journal.changes == []


@pytest.mark.parametrize("command", ["status", "verify", "logs"])
def test_a_cluster_that_is_not_there_is_told(line: CommandLine, command: str) -> None:
    error = line.failed(6, command, "nobody")
    assert "There is no cluster 'nobody'" in error
    assert "hint: bootstrap list" in error


@pytest.mark.parametrize("command", ["kubeconfig", "inventory"])
def test_a_file_that_is_not_there_is_told(line: CommandLine, command: str) -> None:
    assert "has no file" in line.failed(9, command, "nobody")


def test_list_in_all_forms(demo: CommandLine) -> None:
    demo.world.api.nodes.clear()
    demo.done("up", "another", "--workers", "0")
    text = demo.done("list").splitlines()
    assert text[0].split() == ["NAME", "CONTROL", "PLANES", "WORKERS", "RUNNING", "CREATED"]
    assert [row.split()[0] for row in text[1:]] == ["another", "demo"]
    data = json.loads(demo.done("list", "-o", "json"))
    assert data == yaml.safe_load(demo.done("list", "-o", "yaml"))
    assert data[1] == {
        "name": "demo",
        "controlPlanes": 1,
        "workers": 1,
        "running": "2/2",
        "created": "2030-01-01T00:00:00+00:00",
    }
    assert demo.done("list", "-o", "name") == "another\ndemo\n"


def test_an_empty_list_is_a_list(line: CommandLine) -> None:
    assert line.done("list") == "No cluster exists.\n"
    assert json.loads(line.done("list", "-o", "json")) == []
    assert line.done("list", "-o", "name") == ""


def test_status_in_all_forms(demo: CommandLine) -> None:
    data = json.loads(demo.done("status", "demo", "-o", "json"))
    assert data == yaml.safe_load(demo.done("status", "demo", "-o", "yaml"))
    assert (data["name"], data["api"]) == ("demo", "ok")
    assert [(node["domain"], node["kubernetes"]) for node in data["nodes"]] == [
        ("running", "Ready"),
        ("running", "Ready"),
    ]
    assert demo.done("status", "demo", "-o", "name").split() == NODES
    assert "certificate ends: 2031-01-01" in demo.done("status", "demo")


def test_status_of_a_sick_cluster_is_no_error(demo: CommandLine) -> None:
    """V-07."""
    demo.world.journal.failures["api"] = NotYet("x")
    demo.world.api.is_up = False
    data = json.loads(demo.done("status", "demo", "-o", "json"))
    assert data["api"] == "does not answer: connection refused"
    assert {node["kubernetes"] for node in data["nodes"]} == {"unknown"}


def test_status_works_without_local_files(line: CommandLine) -> None:
    """L-03, G-06."""
    line.done("up", "demo")
    text = line.done("status", "demo")
    assert "The local files are lost; 'bootstrap down demo' still works." in text


def test_plan_in_all_forms_changes_nothing(demo: CommandLine) -> None:
    demo.world.journal.clear()
    words = ("plan", "demo", "--workers", "2")
    data = json.loads(demo.done(*words, "-o", "json"))
    assert data == yaml.safe_load(demo.done(*words, "-o", "yaml"))
    assert [node["exists"] for node in data["nodes"]] == [True, True, False]
    assert demo.done(*words, "-o", "name").split() == [*NODES, "demo-worker2"]
    rows = [row for row in demo.done(*words).splitlines() if "demo-" in row]
    assert [row.split()[0] for row in rows] == ["=", "=", "+"]
    assert demo.world.journal.changes == []


def test_the_plan_is_what_up_makes(line: CommandLine) -> None:
    planned = json.loads(line.done("plan", "demo", "-o", "json"))
    line.done("up", "demo")
    now = json.loads(line.done("plan", "demo", "-o", "json"))
    for node in planned["nodes"]:
        node["exists"] = True
    assert now == planned


def test_down_in_all_forms(demo: CommandLine) -> None:
    assert json.loads(demo.done("down", "demo", "-o", "json")) == [
        {"name": "demo", "domains": NODES, "volumes": True, "state": True, "kept": []}
    ]
    again = yaml.safe_load(demo.done("down", "demo", "-o", "yaml"))
    assert again == [{"name": "demo", "domains": [], "volumes": False, "state": False, "kept": []}]
    assert demo.done("down", "demo", "-o", "name") == "demo\n"
    assert demo.done("down", "demo") == "Cluster 'demo' is removed: nothing was left of it.\n"


def test_down_all_takes_what_has_domains_volumes_or_files(demo: CommandLine) -> None:
    """Z-05, L-02."""
    demo.world.api.nodes.clear()
    demo.done("up", "another", "--workers", "0")
    demo.world.hypervisor.domains_by_uuid.clear()
    assert demo.done("down", "--all", "-o", "name") == "another\ndemo\n"
    assert demo.done("down", "--all") == "No cluster exists.\n"


def test_down_all_removes_the_others_of_a_cluster_that_it_cannot_remove(demo: CommandLine) -> None:
    """G-05, Z-07: what went is told on stdout, what stayed on stderr, with its exit code."""
    demo.done("up", "another")
    demo.done("up", "third")
    for name in ("demo", "third"):
        failure = NotOursError(f"Directory '{name}' is not ours.")
        demo.world.journal.failures[f"volumes.remove_cluster {name}"] = failure
    result = demo.run("down", "--all", "-o", "name")
    assert (result.exit_code, result.stdout) == (7, "another\n")
    assert "error: Not every cluster was removed." in result.stderr
    assert "'demo' is not ours" in result.stderr
    assert "'third' is not ours" in result.stderr
    assert "hint: bootstrap down --all" in result.stderr


def test_down_tells_what_the_user_keeps(demo: CommandLine) -> None:
    """H-19."""
    demo.world.products.kept.append("user 'bootstrap-demo' in '/home/x/.kube/config'")
    text = demo.done("down", "demo")
    assert "kept, since you changed it: user 'bootstrap-demo'" in text


def test_verify_tells_every_check(demo: CommandLine) -> None:
    names = demo.done("verify", "demo", "-o", "name").splitlines()
    assert names == [
        "api",
        "nodes",
        "dns",
        "pods",
        "service name",
        "pod to pod",
        "clean-up",
        "steady",
    ]
    demo.world.api.sick_checks.add("dns")
    result = demo.run("verify", "demo")
    assert result.exit_code == 8
    assert "FAILED dns: as told" in result.stdout
    assert "1 of 8 checks failed" in result.stderr
    # stdout may go to a program, so the cause is on stderr too, in the words of `up`.
    assert "FAILED dns: as told" in result.stderr


def test_the_kubeconfig_and_the_inventory_are_told_by_path_or_content(demo: CommandLine) -> None:
    state = find_directories().cluster_state(DEMO)
    assert demo.done("kubeconfig", "demo") == f"{state}/kubeconfig\n"
    assert json.loads(demo.done("kubeconfig", "demo", "-o", "json")) == {}
    assert demo.done("kubeconfig", "demo", "--print") == "{}\n"
    assert json.loads(demo.done("inventory", "demo", "-o", "json")) == {"all": {}}
    assert demo.done("inventory", "demo", "-o", "name") == f"{state}/inventory.yml\n"


def test_a_console_is_printed_without_control_codes(demo: CommandLine, tmp_path: Path) -> None:
    """H-09."""
    (domain, *_) = demo.world.hypervisor.domains_by_uuid.values()
    assert domain.mark is not None
    (tmp_path / "console.log").write_bytes(b"\x1b[31mLinux\x1b[0m\n")
    object.__setattr__(domain.mark, "directory", tmp_path)
    assert demo.done("logs", "demo", "control-plane", "--console") == "Linux\n"
    assert "Could not read the console" in demo.failed(6, "logs", "demo", "worker", "--console")


def test_a_node_that_is_not_there_is_told_with_those_that_are(demo: CommandLine) -> None:
    error = demo.failed(2, "logs", "demo", "worker9")
    assert "Nodes: demo-control-plane, demo-worker" in error


def test_init_keeps_a_file_that_exists(line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    assert line.done("init", "demo", "-f", str(file)) == f"bootstrap up -f {file}\n"
    before = file.read_text()
    assert "exists already" in line.failed(2, "init", "demo", "-f", str(file))
    assert file.read_text() == before


def test_a_schema_is_printed(line: CommandLine) -> None:
    assert json.loads(line.done("schema"))["type"] == "object"


@pytest.mark.runs_programs
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(line: CommandLine, shell: str) -> None:
    assert "_BOOTSTRAP_COMPLETE" in line.done("completion", shell)


@pytest.mark.runs_programs
@pytest.mark.parametrize(
    ("group", "place", "name"),
    [
        ("artifacts", f"artifacts/{'0' * 32}-go1.26.8-linux-amd64/kube", None),
        ("image", f"bases/{'0' * 32}.tar", f"base-{'0' * 32}"),
    ],
)
def test_prune_tells_what_it_removed(
    line: CommandLine, group: str, place: str, name: str | None
) -> None:
    """I-05: what earlier versions left does not pile up."""
    file = find_directories().cache / place
    removed = name or file.parent.name
    for words, said in (
        ([], f"{removed}\n"),
        (["-o", "name"], f"{removed}\n"),
        (["-o", "json"], f'{{\n  "removed": [\n    "{removed}"\n  ]\n}}\n'),
    ):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
        assert line.done(group, "prune", *words) == said
        assert not file.exists()
    assert line.done(group, "prune") == "Nothing to remove.\n"


def test_our_own_directory_is_private_from_the_first_command_on(line: CommandLine) -> None:
    """G-26, SEC-26."""
    line.done("list")
    state = find_directories().state
    for path in (state, state / ".locks"):
        assert path.stat().st_mode & 0o777 == 0o700


def test_help_names_every_command(line: CommandLine) -> None:
    text = line.done("--help")
    for command in ("up", "down", "list", "status", "verify", "plan", "ssh", "logs", "doctor"):
        assert f"\n  {command} " in text
