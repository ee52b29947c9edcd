"""The files for users' CI: what can be known of them without a runner, which none here is.

Their linters find nothing, and their words are those of the command line. The steps of
``ci/github`` run for real but for those that change the host; ``bootstrap`` is a program that
records its words, once the real command line has accepted them.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTIONS = (ROOT / "action.yml", ROOT / "ci" / "finish" / "action.yml")
WORKFLOW = ROOT / "ci" / "github-workflow.yml"
GITLAB = ROOT / "ci" / "gitlab.yml"
SCRIPT = ROOT / "ci" / "github"
ACTIONLINT = Path(sys.executable).with_name("actionlint")
#: Accepts what the real command line does, and answers as it would.
BOOTSTRAP = f"""#!{sys.executable}
import json, pathlib, sys
import click
from bootstrap.cli.group import cli
command, rest = cli, sys.argv[1:]
while isinstance(command, click.Group):
    name, command, rest = command.resolve_command(click.Context(command), rest)
with command.make_context(name, list(rest)):
    pass
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as calls:
    print(json.dumps(sys.argv[1:]), file=calls)
answers = json.loads((here / "answers").read_text())
key = next((one for one in answers if " ".join(sys.argv[1:]).startswith(one)), None)
if key is not None and answers[key] is None:
    sys.exit("error: Could not reach libvirt.")
print("" if key is None else answers[key])
"""


def ran(argv: list[str | Path], **more: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    return subprocess.run(argv, capture_output=True, text=True, check=False, **more)


def check_schema(schema: str, *files: Path) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = ran([program, "--builtin-schema", f"vendor.{schema}", *files])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_what_their_schemas_say() -> None:
    check_schema("github-actions", *ACTIONS)
    check_schema("github-workflows", WORKFLOW)
    check_schema("gitlab-ci", GITLAB)


needs_actionlint = pytest.mark.skipif(
    not ACTIONLINT.exists(), reason="actionlint is not installed; `make lint` installs it"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of a user with the action in it, so that inputs and outputs can be compared."""
    place = tmp_path / "project"
    (place / ".git").mkdir(parents=True)
    shutil.copytree(ROOT / "ci", place / "ci")
    shutil.copy(ROOT / "action.yml", place)
    (place / ".github" / "workflows").mkdir(parents=True)
    return place


def actionlint(project: Path, workflow: str) -> str:
    (project / ".github" / "workflows" / "test.yml").write_text(workflow)
    return ran([ACTIONLINT], cwd=project).stdout


@needs_actionlint
def test_the_example_names_inputs_and_outputs_that_the_actions_have(project: Path) -> None:
    text = WORKFLOW.read_text().replace("OWNER/bootstrap@main", "./")
    text = text.replace("OWNER/bootstrap/ci/finish@main", "./ci/finish")
    assert actionlint(project, text) == ""
    assert "is not defined in action" in actionlint(project, text.replace("name: e2e", "nam: e2e"))
    assert "is not defined" in actionlint(project, text.replace("outputs.name", "outputs.nam"))


@needs_actionlint
@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_the_steps_of_an_action_would_be_the_steps_of_a_job(path: Path, project: Path) -> None:
    """actionlint reads no composite actions, but it does read workflows."""
    action = yaml.safe_load(path.read_text())
    job = {
        "runs-on": "ubuntu-24.04",
        "outputs": {
            "shown": "${{ steps.evidence.outputs.directory }}",
            **{name: one["value"] for name, one in action.get("outputs", {}).items()},
        },
        "steps": action["runs"]["steps"],
    }
    inputs = {name: {"type": "string"} for name in action["inputs"]}
    workflow = json.dumps({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"job": job}})
    assert actionlint(project, workflow) == ""
    assert "is not defined" in actionlint(project, workflow.replace("inputs.name", "inputs.nam"))


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_no_input_is_pasted_into_a_script(path: Path) -> None:
    """An input may be what another person chose, such as a branch's name: use the environment."""
    steps = yaml.safe_load(path.read_text())["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


@dataclass
class Runner:
    """A place like a runner's: steps of ``ci/github`` run in it."""

    place: Path
    #: What `bootstrap` prints, by how its words begin; with None it fails.
    answers: dict[str, str | None] = field(default_factory=dict)

    def step(self, name: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """Run a step, and return its outputs."""
        (self.place / "answers").write_text(json.dumps(self.answers))
        outputs = self.place / "outputs"
        outputs.write_text("")
        done = ran(
            [SCRIPT, name],
            cwd=self.place,
            env={
                "PATH": f"{self.place}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "RUNNER_TEMP": str(self.place / "temporary"),
                "GITHUB_OUTPUT": str(outputs),
                **(environment or {}),
            },
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines = (line.partition("=") for line in outputs.read_text().splitlines())
        return {name: value for name, _, value in lines}

    @property
    def calls(self) -> list[str]:
        lines = (self.place / "calls").read_text().splitlines()
        return [shlex.join(json.loads(line)) for line in lines]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    program = tmp_path / "bootstrap"
    program.write_text(BOOTSTRAP)
    program.chmod(0o755)
    plan = {"name": "e2e", "kubernetesVersion": "v1.37.2", "stateDirectory": f"{tmp_path}/state"}
    key = {"key": "abc", "directories": ["/a", "/b"]}
    answers: dict[str, str | None] = {
        "plan": json.dumps(plan),
        "image key": json.dumps(key),
        "snapshot key": "def",
        "kubeconfig": "/state/kubeconfig",
    }
    return Runner(tmp_path, answers)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "--profile ci"),
        ({"NAME": "e2e", "WORKERS": "3"}, "e2e --workers 3 --profile ci"),
        ({"FILE": "my cluster.yaml"}, "--file 'my cluster.yaml'"),
        ({"FILE": "x.yaml", "PROFILE": "ci"}, "--file x.yaml --profile ci"),
        ({"VERSION": "v1.37.2", "PROFILE": "default"},
         "--profile default --kubernetes-version v1.37.2"),
        ({"SOURCE": "auto"}, "--profile ci"),
        ({"SOURCE": "go"}, "--profile ci --source go"),
        ({"OPTIONS": "--memory\n3GiB\n\n--security-profile\nstrict\n"},
         "--profile ci --memory 3GiB --security-profile strict"),
    ],
)  # fmt: skip
def test_inputs_become_words_of_up(runner: Runner, inputs: dict[str, str], words: str) -> None:
    outputs = runner.step("options", inputs)
    assert outputs == {"name": "e2e", "version": "v1.37.2"}
    outputs = runner.step("up", {"NAME": "e2e", "TIMEOUT_MINUTES": "1"})
    assert outputs == {"kubeconfig": "/state/kubeconfig"}
    assert runner.calls == [
        f"plan {words} --output json",
        f"up {words} --use --keep",
        "kubeconfig e2e",
    ]


def test_an_image_is_kept_by_what_it_is_made_from_and_by_the_month(runner: Runner) -> None:
    outputs = runner.step(
        "image-key", {"VERSION": "v1.37.2", "SOURCE": "go", "CACHE_PREFIX": "mine"}
    )
    assert runner.calls == ["image key --kubernetes-version v1.37.2 --source go --output json"]
    prefix, _, month = outputs["key"].partition("abc")
    assert prefix == "mine-image-"
    assert len(month) == len("-2030-01")
    text = (runner.place / "outputs").read_text()
    assert "paths<<END_OF_PATHS\n/a\n/b\nEND_OF_PATHS\n" in text


@pytest.mark.parametrize(
    ("restored", "is_refreshed"), [("", False), ("wanted", False), ("older", True)]
)
def test_an_older_cache_saves_only_the_programs(
    runner: Runner, restored: str, *, is_refreshed: bool
) -> None:
    inputs = {"VERSION": "v1.37.2", "SOURCE": "go", "WANTED": "wanted", "RESTORED": restored}
    runner.step("build", inputs)
    build = "image build --kubernetes-version v1.37.2 --source go"
    assert runner.calls == (
        ["image prune", "artifacts prune", f"{build} --refresh"] if is_refreshed else [build]
    )


def test_a_snapshot_is_asked_for_with_the_words_of_up(runner: Runner) -> None:
    runner.step("options", {"NAME": "e2e"})
    outputs = runner.step("snapshot-key", {"CACHE_PREFIX": "mine"})
    file = f"{runner.place}/temporary/bootstrap/snapshot.tar"
    assert outputs == {"name": "def", "key": "mine-snapshot-def", "file": file}
    runner.step("export", {"SNAPSHOT_KEY": outputs["name"]})
    Path(file).touch()
    runner.step("import")
    assert not Path(file).exists()
    runner.step("up", {"NAME": "e2e", "TIMEOUT_MINUTES": "1", "CACHED": "true"})
    assert runner.calls[1:5] == [
        "snapshot key e2e --profile ci",
        f"snapshot export cached def {file}",
        f"snapshot import {file}",
        "up e2e --profile ci --use --keep --cached",
    ]


def test_evidence_is_what_was_logged_and_no_key(runner: Runner) -> None:
    for name in ("logs/evidence/worker.log", "runs/1.ndjson", "pki/ca.key", "kubeconfig"):
        (runner.place / "state" / name).parent.mkdir(parents=True, exist_ok=True)
        (runner.place / "state" / name).touch()
    directory = Path(runner.step("evidence", {"NAME": "e2e"})["directory"])
    found = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    assert found == {"logs/evidence/worker.log", "runs/1.ndjson"}
    assert runner.calls[0] == "logs e2e"


def test_evidence_without_a_cluster_or_a_tool_is_nothing(runner: Runner) -> None:
    directory = Path(runner.step("evidence")["directory"])
    (runner.place / "bootstrap").rename(runner.place / "elsewhere")
    runner.step("evidence", {"NAME": "e2e"})
    assert not directory.exists()


def test_evidence_of_a_host_without_libvirt_is_nothing(runner: Runner) -> None:
    """What failed before has been told; this step has nothing to add."""
    runner.answers |= {"logs": None, "plan": None}
    directory = Path(runner.step("evidence", {"NAME": "e2e"})["directory"])
    assert not directory.exists()


def test_the_end_removes_the_cluster(runner: Runner) -> None:
    runner.step("down", {"NAME": "e2e"})
    assert runner.calls == ["down e2e"]


def test_each_step_of_the_actions_is_one_of_the_script() -> None:
    usage = ran([SCRIPT], env={**os.environ, "RUNNER_TEMP": "/"})
    assert usage.returncode == 2
    known = set(usage.stderr.split()[1].split("|"))
    steps = [step for path in ACTIONS for step in yaml.safe_load(path.read_text())["runs"]["steps"]]
    assert {step["run"].split()[-1] for step in steps if "run" in step} == known


def test_the_commands_of_the_gitlab_template_are_those_of_the_command_line(runner: Runner) -> None:
    job = yaml.safe_load(GITLAB.read_text())[".bootstrap"]
    (runner.place / "answers").write_text("{}")
    environment = {
        "PATH": f"{runner.place}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BOOTSTRAP_NAME": "ci",
        "BOOTSTRAP_TIMEOUT": "1m",
        "BOOTSTRAP_OPTIONS": job["variables"]["BOOTSTRAP_OPTIONS"],
    }
    for line in (*job["before_script"], *job["after_script"]):
        if line.startswith(("bootstrap", "timeout")):
            done = ran(["bash", "-euc", line], env=environment)
            assert (done.returncode, done.stderr) == (0, "")
    assert runner.calls == [
        "up ci --use --keep --profile ci",
        "logs ci",
        "image prune",
        "artifacts prune",
        "down ci",
    ]
