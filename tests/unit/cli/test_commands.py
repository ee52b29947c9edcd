"""Every command's results on stdout, everything else on stderr, and the exit codes."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.locks import locked
from bootstrap.cli.reaching import kubectl
from bootstrap.errors import BootstrapError, HostError, NotOursError, TimedOutError
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.ports import ShellResult
from bootstrap.waiting import NotYet
from tests.builders import NOW, an_image
from tests.fakes.archives import an_image_named
from tests.fakes.hypervisor import Defined
from tests.unit.cli.conftest import FakeCommandLine as CommandLine

DEMO = ClusterName("demo")
NODES = ["control-plane", "worker"]
DOMAINS = ["demo-control-plane", "demo-switch", "demo-worker"]
WHAT_NEXT = [
    "What to type next:",
    "  export KUBECONFIG=/state/demo/kubeconfig  # then kubectl as usual",
    "  bootstrap kubectl demo -- get nodes       # where no kubectl is installed",
    "  bootstrap ssh demo control-plane          # log in on a node",
    "  bootstrap down demo                       # remove all of it",
]
BAD_NAMES = ["../x", "Demo", "a b", "-x", "x" * 41, "", "a\nb", "/etc"]


def test_up_tells_the_result_on_stdout_and_the_steps_on_stderr(line: CommandLine) -> None:
    result = line.run("up", "demo")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok  api: ")
    assert "Cluster 'demo' is verified: 1 control plane, 1 worker," in result.stdout
    assert result.stderr.splitlines()[-5:] == WHAT_NEXT
    assert "Booting the nodes ..." in result.stderr
    assert "Booting" not in result.stdout


@pytest.mark.parametrize("words", [("-q",), ("--progress", "none"), ("-o", "json"), ("-o", "name")])
def test_what_to_type_next_is_for_people_alone(line: CommandLine, words: tuple[str, ...]) -> None:
    assert "type next" not in line.run("up", "demo", *words).stderr


def test_up_again_says_that_nothing_changed(line: CommandLine) -> None:
    """G-19."""
    line.done("up", "demo")
    assert json.loads(line.done("up", "demo", "-o", "json"))["changed"] == 0


def test_up_as_data(line: CommandLine) -> None:
    data = json.loads(line.done("up", "demo", "--workers", "2", "-o", "json"))
    assert data["verified"] is True
    assert [node["name"] for node in data["nodes"]] == [*NODES, "worker2"]
    assert all(check["ok"] for check in data["checks"])
    assert "boot" in data["secondsByStep"]
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
    assert "would remove worker2, and asks for --remove" in error
    assert "hint: bootstrap node remove demo worker2" in error
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


@pytest.mark.parametrize(
    "words",
    [
        *("up demo", "plan demo", "status demo", "verify demo", "logs demo", "ssh demo worker"),
        *("inventory demo", "kubeconfig demo", "kubeconfig demo --print"),
        *("kubeconfig demo --merge",),
        *("cp demo a worker:b", "port-forward demo worker 80", "kubectl demo -- get nodes"),
        *("image load demo app.tar", "image loaded demo", "image unload demo app:1"),
    ],
)
def test_a_cluster_of_another_layout_ends_with_9(demo: CommandLine, words: str) -> None:
    make_old(demo)
    error = demo.failed(9, *words.split())
    assert "made by an older version of this tool" in error
    assert "hint: bootstrap down demo" in error


def test_a_cluster_of_another_layout_is_listed_and_removed(demo: CommandLine) -> None:
    make_old(demo)
    assert demo.done("list", "-o", "name") == "demo\n"
    assert json.loads(demo.done("down", "demo", "-o", "json"))[0]["domains"] == DOMAINS


def make_old(line: CommandLine) -> None:
    for domain in line.world.hypervisor.domains_by_uuid.values():
        assert domain.mark is not None
        domain.mark = replace(domain.mark, layout=1)


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
        ["ssh", "demo"],
        ["logs", "demo", "--console"],
        ["logs", "demo", "worker", "--console", "--follow"],
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
    assert text[0].split() == [
        *("NAME", "CONTROL", "PLANES", "WORKERS", "KUBELETS", "RUNNING", "STATE", "CREATED")
    ]
    assert [row.split()[0] for row in text[1:]] == ["another", "demo"]
    data = json.loads(demo.done("list", "-o", "json"))
    assert data == yaml.safe_load(demo.done("list", "-o", "yaml"))
    assert data[1] == {
        "name": "demo",
        "controlPlanes": 1,
        "workers": 1,
        "kubeletVersions": ["v1.37.2"],
        "running": "2/2",
        "state": "running",
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


def test_status_tells_what_rests_from_what_is_sick(demo: CommandLine) -> None:
    def told(state: str, code: int) -> bool:
        assert demo.run("status", "demo", "--exit-code").exit_code == code
        assert json.loads(demo.done("list", "-o", "json"))[0]["state"] in {state, "running"}
        return bool(json.loads(demo.done("status", "demo", "-o", "json"))["state"] == state)

    assert told("running", 0)
    demo.world.api.nodes["worker"] = "NotReady"
    assert told("sick", 8)
    demo.done("stop", "demo", "worker")
    assert told("partly stopped", 12)
    demo.world.api.nodes["worker"] = "Ready"
    demo.done("start", "demo")
    demo.done("suspend", "demo")
    assert told("suspended", 11)
    demo.done("stop", "demo")
    assert told("stopped", 10)
    assert "its machine does not run" in demo.done("status", "demo")


def test_a_verb_without_a_name_means_the_only_cluster(demo: CommandLine) -> None:
    assert "stopped worker, control-plane" in demo.done("stop")
    assert "Nothing had to be changed." in demo.done("stop")
    assert "is verified" in demo.done("start")
    assert json.loads(demo.done("suspend", "-o", "json"))["suspended"] == [
        "worker",
        "control-plane",
    ]
    assert "is verified" in demo.done("resume")
    assert json.loads(demo.done("reboot", "demo", "worker", "-o", "json"))["verified"]
    demo.world.api.nodes.clear()
    demo.done("up", "another", "--workers", "0")
    assert "another, demo" in demo.failed(2, "stop")


@pytest.mark.parametrize(
    "words",
    [
        ["status", "-o", "name"],
        ["verify", "-o", "name"],
        ["kubeconfig"],
        ["inventory"],
        ["timeline", "--list"],
    ],
    ids=lambda words: words[0],
)
def test_a_look_without_a_name_is_one_at_the_only_cluster(
    demo: CommandLine, words: list[str]
) -> None:
    command, *options = words
    known = demo.done(command, "demo", *options)
    assert demo.done(command, *options).splitlines()[-1:] == known.splitlines()[-1:] != []
    demo.world.api.nodes.clear()
    demo.done("up", "another", "--workers", "0")
    assert "another, demo" in demo.failed(2, *words)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["demo", "get", "pods"], ("demo", "get", "pods")),
        (["demo", "--", "get", "-A"], ("demo", "--", "get", "-A")),
        (["--", "get", "pods", "-A"], ("--", "get", "pods", "-A")),
        (["", "get"], ("", "get")),
    ],
)
def test_words_of_kubectl_may_stand_without_a_name(
    typed: list[str], words: tuple[str, ...]
) -> None:
    found = kubectl.make_context("kubectl", typed).params
    assert (found["name"], *found["words"]) == words


def test_kubectl_without_a_name_and_without_a_cluster_is_refused(line: CommandLine) -> None:
    """H-09: and an empty name is none that was left out."""
    assert "There is none." in line.failed(2, "kubectl", "--", "get", "pods")
    assert "''" in line.failed(2, "kubectl", "", "get", "pods")


def test_start_all_starts_all_clusters_and_takes_no_name(demo: CommandLine) -> None:
    demo.done("stop", "demo")
    demo.failed(2, "start", "demo", "--all")
    assert [one["name"] for one in json.loads(demo.done("start", "--all", "-o", "json"))] == [
        "demo"
    ]


def test_status_works_without_local_files(line: CommandLine) -> None:
    """L-03, G-06."""
    line.done("up", "demo")
    line.world.files.lose()
    text = line.done("status", "demo")
    assert "The local files are lost; 'bootstrap down demo' still works." in text


def test_plan_in_all_forms_changes_nothing(demo: CommandLine) -> None:
    demo.world.journal.clear()
    words = ("plan", "demo", "--workers", "2")
    data = json.loads(demo.done(*words, "-o", "json"))
    assert data == yaml.safe_load(demo.done(*words, "-o", "yaml"))
    assert [node["exists"] for node in data["nodes"]] == [True, True, False]
    assert demo.done(*words, "-o", "name").split() == [*NODES, "worker2"]
    rows = [row for row in demo.done(*words).splitlines() if row[:1] in {"=", "+"}]
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
        {
            "name": "demo",
            "domains": DOMAINS,
            "volumes": True,
            "state": True,
            "kept": [],
            "snapshots": [],
        }
    ]
    again = yaml.safe_load(demo.done("down", "demo", "-o", "yaml"))
    assert again == [
        {
            "name": "demo",
            "domains": [],
            "volumes": False,
            "state": False,
            "kept": [],
            "snapshots": [],
        }
    ]
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
    """G-05, Z-07: what was removed is on stdout, what stayed on stderr, with its exit code."""
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
    demo.world.kubeconfig.kept.append("user 'bootstrap-demo' in '/home/x/.kube/config'")
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
    state = Path("/state/demo")
    assert demo.done("kubeconfig", "demo") == f"{state}/kubeconfig\n"
    files = demo.world.files.files["demo"]
    assert "name: bootstrap-demo\n" in files["kubeconfig"]
    assert demo.done("kubeconfig", "demo", "--print") == files["kubeconfig"]
    as_json = json.loads(demo.done("kubeconfig", "demo", "-o", "json"))
    assert as_json == yaml.safe_load(files["kubeconfig"])
    assert "worker:" in files["inventory.yml"]
    as_json = json.loads(demo.done("inventory", "demo", "-o", "json"))
    assert as_json == yaml.safe_load(files["inventory.yml"])
    assert demo.done("inventory", "demo", "-o", "name") == f"{state}/inventory.yml\n"


def test_a_console_is_printed_without_control_codes(demo: CommandLine, tmp_path: Path) -> None:
    """H-09."""
    domain = demo.world.hypervisor.named("demo-control-plane")
    assert domain is not None
    assert domain.mark is not None
    (tmp_path / "console.log").write_bytes(b"\x1b[31mLinux\x1b[0m\n")
    object.__setattr__(domain.mark, "directory", tmp_path)
    assert demo.done("logs", "demo", "control-plane", "--console") == "Linux\n"
    assert demo.done("logs", "demo", "demo-control-plane", "--console") == "Linux\n"
    assert "Could not read the console" in demo.failed(6, "logs", "demo", "worker", "--console")


def test_logs_are_one_archive(demo: CommandLine, tmp_path: Path) -> None:
    path = Path("/state/demo/logs/demo-logs-0.tar.gz")
    assert demo.done("logs", "demo") == f"{path}\n"
    target = tmp_path / "all.tar.gz"
    data = json.loads(demo.done("logs", "demo", "worker", "--file", str(target), "-o", "json"))
    assert data == {"archive": str(target)}
    archives = demo.world.evidence.archives
    assert list(archives) == [path, target]
    assert json.loads(archives[path]["manifest.json"])["nodes"] == NODES
    assert json.loads(archives[target]["manifest.json"])["nodes"] == ["worker"]
    assert "exists already" in demo.failed(2, "logs", "demo", "--file", str(target))


@pytest.mark.parametrize("words", [["demo", "worker", "-f"], ["-f", "worker"]])
def test_a_journal_is_followed_without_control_codes(demo: CommandLine, words: list[str]) -> None:
    """H-09; a node alone is one of the only cluster."""
    assert "/demo-logs-" in demo.done("logs")
    assert "Name the node." in demo.failed(2, "logs", "-f")
    said = ShellResult(exit_status=0, stdout="one\n\x1b[2Jtwo\rover\n", stderr="")
    demo.world.shell.answers["exec journalctl --no-pager --follow --lines 20"] = said
    assert demo.done("logs", *words) == "one\ntwoover\n"
    assert "There is no node 'x'" in demo.failed(2, "logs", "-f", "x")


def test_a_node_that_is_not_there_is_told_with_those_that_are(demo: CommandLine) -> None:
    error = demo.failed(2, "logs", "demo", "worker9")
    assert "Nodes: control-plane, worker" in error


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


def test_a_refreshed_image_is_listed_with_the_day_of_its_packages(demo: CommandLine) -> None:
    """SEC-41: and the cluster's own stays."""
    demo.world.images.today = "2030-02-01T00:00:00+00:00"
    (old,) = json.loads(demo.done("image", "list", "-o", "json"))
    new = json.loads(demo.done("image", "build", "--refresh", "-o", "json"))
    assert json.loads(demo.done("image", "list", "-o", "json")) == [old, new]
    assert (old["packagesFetched"], new["packagesFetched"]) == (NOW, "2030-02-01T00:00:00+00:00")
    assert demo.done("image", "build", "-o", "name").strip() == new["key"]
    assert NOW in demo.done("image", "list")
    assert demo.done("image", "prune", "-o", "name").strip() == new["key"]


@pytest.mark.runs_programs
def test_the_key_of_an_images_source_is_known_before_it_is_built(line: CommandLine) -> None:
    data = json.loads(line.done("image", "key", "-o", "json"))
    assert data["directories"] == ["/images"]
    assert line.done("image", "key") == line.done("image", "key", "-o", "name")
    assert line.done("image", "key").strip() == data["key"]
    assert line.done("image", "key", "--source", "go").strip() != data["key"]
    assert "v0.1" in line.failed(2, "image", "key", "--kubernetes-version", "v0.1")
    assert line.world.images.built == {}


@pytest.mark.parametrize("group", ["artifacts", "image"])
def test_prune_reports_what_it_removed(demo: CommandLine, group: str) -> None:
    """I-05: what earlier versions left does not pile up, and what a cluster uses stays."""
    images = demo.world.images
    used, old = set(images.built), "0" * 32
    file = find_directories().cache / "artifacts" / old / "kube"
    for words, reported in (
        ([], f"{old}\n"),
        (["-o", "name"], f"{old}\n"),
        (["-o", "json"], f'{{\n  "removed": [\n    "{old}"\n  ]\n}}\n'),
    ):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
        images.built[old] = an_image()
        assert demo.done(group, "prune", *words) == reported
        assert file.exists() == (group == "image")
        assert (set(images.built) == used) == (group == "image")
        assert used
    assert demo.done(group, "prune") == "Nothing to remove.\n"


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


APP = "docker.io/library/app:1"


@pytest.fixture
def loading(demo: CommandLine) -> CommandLine:
    """Have a cluster, and an archive on this host."""
    demo.world.archives.sources["app.tar"] = (an_image_named(APP),)
    return demo


def test_an_image_is_loaded_listed_and_unloaded(loading: CommandLine) -> None:
    said = loading.done("image", "load", "demo", "app.tar")
    assert said == f"{APP} is on every node.\nChecked: control-plane, worker; changed=2.\n"
    assert APP in loading.done("image", "loaded", "demo")
    assert loading.done("image", "loaded", "demo", "-o", "name") == f"{APP}\n"
    assert loading.done("image", "unload", "demo", "app:1") == f"{APP} is on no node.\n"
    assert loading.done("image", "loaded", "demo") == "No image was loaded.\n"


def test_loaded_images_as_data(loading: CommandLine) -> None:
    data = json.loads(loading.done("image", "load", "demo", "app.tar", "-o", "json"))
    image = an_image_named(APP)
    known = {"name": APP, "id": image.config}
    assert data == {"images": [known], "nodes": NODES, "changed": 2}
    listed = json.loads(loading.done("image", "loaded", "demo", "-o", "json"))
    assert listed == [{**known, "nodes": NODES}]
    removed = json.loads(loading.done("image", "unload", "demo", APP, "-o", "json"))
    assert removed == {"removed": [APP]}


def test_what_cannot_be_loaded_or_unloaded_is_wrong_use(loading: CommandLine) -> None:
    assert "Could not find 'x.tar'" in loading.failed(2, "image", "load", "demo", "x.tar")
    error = loading.failed(2, "image", "unload", "demo", "app:1")
    assert f"Image '{APP}' was not loaded into cluster 'demo'." in error


def test_loading_into_a_cluster_whose_node_is_off_says_what_starts_it(
    loading: CommandLine,
) -> None:
    loading.world.hypervisor.power_off_domain("demo-worker")
    error = loading.failed(6, "image", "load", "demo", "app.tar")
    assert "hint: bootstrap start demo" in error
