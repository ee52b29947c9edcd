"""What `-q`, `-v` and `--events` do, and what a run leaves in the cluster's log."""

import json
from pathlib import Path
from typing import Any

import pytest

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.events.commands import log_command
from bootstrap.adapters.marker import claim
from bootstrap.errors import HostError
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from tests.unit.cli.conftest import FakeCommandLine

STEPS = [
    *("check-host", "prepare-image", "create-machines", "boot"),
    *("control-plane", "join", "verify"),
]


@pytest.fixture
def line(line: FakeCommandLine, monkeypatch: pytest.MonkeyPatch) -> FakeCommandLine:
    """Have a command line that runs a program while it checks the host."""
    check = line.world.host.check

    def checked(*values: Any, **more: Any) -> None:  # noqa: ANN401 - whatever the port takes
        log_command(["qemu-img", "--version"])
        check(*values, **more)

    monkeypatch.setattr(line.world.host, "check", checked)
    return line


def events_in(text: str) -> list[dict[str, Any]]:
    """Read NDJSON."""
    return [json.loads(one) for one in text.splitlines()]


def steps_in(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return each step's starts and ends."""
    ends = ("started", "finished", "failed")
    return [(one["step"], one["status"]) for one in events if one["step"] and one["status"] in ends]


@pytest.mark.parametrize("words", [("-q", "up", "demo"), ("up", "demo", "--quiet")])
def test_quiet_leaves_the_result(line: FakeCommandLine, words: tuple[str, ...]) -> None:
    result = line.run(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Cluster 'demo' is verified" in result.stdout


def test_quiet_leaves_errors(line: FakeCommandLine) -> None:
    line.world.journal.failures["host.check"] = HostError("No disk.", hint="df -h")
    assert line.failed(3, "up", "demo", "-q") == "error: No disk.\nhint: df -h\n"


@pytest.mark.parametrize("words", [("-v", "up", "demo"), ("up", "demo", "--verbose")])
def test_verbose_adds_commands(line: FakeCommandLine, words: tuple[str, ...]) -> None:
    shown = line.run(*words).stderr
    assert "$ qemu-img --version" in shown
    assert "Booting the nodes ..." in shown
    assert "qemu-img" not in line.run("up", "demo").stderr


def test_a_verification_is_reported_as_every_run_is(line: FakeCommandLine) -> None:
    """V-08."""
    line.done("up", "demo", "-q")
    events = events_in(line.done("verify", "demo", "--events", "-"))
    assert steps_in(events) == [("verify", "started"), ("verify", "finished")]
    assert {check["name"] for check in events[-1]["result"]} >= {"api", "steady"}
    line.world.api.sick_checks.add("dns")
    assert "last seen: dns" in line.run("verify", "demo").stderr
    assert "last seen" not in line.run("verify", "demo", "-q").stderr


@pytest.mark.parametrize("words", [("-q", "up", "demo", "-v"), ("up", "-q", "-v", "demo")])
def test_quiet_and_verbose_contradict_each_other(
    line: FakeCommandLine, words: tuple[str, ...]
) -> None:
    assert "-q and -v contradict each other" in line.failed(2, *words)
    assert line.world.journal.changes == []


@pytest.mark.parametrize("words", [("--progress", "none", "up", "demo"), ("up", "demo", "-q")])
def test_no_progress_is_quiet(line: FakeCommandLine, words: tuple[str, ...]) -> None:
    assert line.run(*words).stderr == ""


@pytest.mark.parametrize(
    "words", [("-q", "--progress", "plain"), ("--progress", "none", "-v"), ("--progress", "live")]
)
def test_a_display_that_cannot_be_had_changes_nothing(
    line: FakeCommandLine, words: tuple[str, ...]
) -> None:
    """The last one, because stderr is no terminal here."""
    line.failed(2, "up", "demo", *words)
    assert line.world.journal.changes == []


def test_how_long_the_steps_took_outlives_the_cluster(line: FakeCommandLine) -> None:
    line.done("up", "demo")
    line.done("down", "demo")
    kept = json.loads(find_directories().durations.read_text())
    assert [run["command"] for run in kept] == ["bootstrap up", "bootstrap down"]
    assert list(kept[0]["seconds"]) == STEPS
    assert (kept[0]["found"], kept[0]["nodes"]) == ([], 2)


def test_each_node_begins_and_ends_its_phases(line: FakeCommandLine) -> None:
    events = events_in(line.done("up", "demo", "--events", "-"))
    phases = [
        (one["node"], one["phase"], one["status"])
        for one in events
        if one["status"] in ("running", "done")
    ]
    for node, last in (("control-plane", "control-plane"), ("worker", "join")):
        mine = [phase for phase in phases if phase[0] == node]
        assert mine[0][1:] == ("create-machines", "running")
        for phase in ("create-machines", "boot", last):
            assert (node, phase, "done") in mine
    again = events_in(line.done("up", "demo", "--events", "-"))
    found = [(one["node"], one["detail"]) for one in again if one["status"] == "done"]
    assert found == [("control-plane", "running"), ("worker", "running")]


def test_events_go_to_a_file_beside_all_else(line: FakeCommandLine, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    result = line.run("up", "demo", "-o", "json", "--events", str(file))
    data = json.loads(result.stdout)
    events = events_in(file.read_text())
    assert "Booting the nodes ..." in result.stderr
    assert steps_in(events) == [(step, end) for step in STEPS for end in ("started", "finished")]
    assert [one["detail"] for one in events if one["status"] == "command"] == ["qemu-img --version"]
    assert len({one["run"] for one in events}) == 1
    assert (events[0]["status"], events[0]["detail"]) == ("started", "bootstrap up")
    assert (events[-1]["status"], events[-1]["result"]) == ("finished", data)
    assert list(data["secondsByStep"]) == STEPS


def test_events_on_stdout_leave_room_for_nothing_else(line: FakeCommandLine) -> None:
    events = events_in(line.done("up", "demo", "--events", "-", "-q"))
    assert events[-1]["result"]["name"] == "demo"
    assert events[-1]["result"]["verified"] is True
    removed = events_in(line.done("down", "--all", "--events", "-"))
    assert steps_in(removed) == [("remove", "started"), ("remove", "finished")]
    assert [one["name"] for one in removed[-1]["result"]] == ["demo"]


def test_a_failed_run_says_so_as_its_last_event_and_on_stderr(line: FakeCommandLine) -> None:
    line.world.api.sick_checks.add("dns")
    result = line.run("up", "demo", "--events", "-")
    assert result.exit_code == 8
    assert "FAILED dns" in result.stderr
    events = events_in(result.stdout)
    assert steps_in(events)[-6:] == [
        *(("verify", "started"), ("verify", "failed")),
        *(("evidence", "started"), ("evidence", "finished")),
        *(("remove", "started"), ("remove", "finished")),
    ]
    assert (events[-1]["step"], events[-1]["status"]) == (None, "failed")
    assert events[-1]["error"] == "verify-failed"
    assert "result" not in events[-1]


@pytest.mark.parametrize("changes", [1, 5, 9])
def test_every_step_has_an_end_when_the_run_is_interrupted(
    line: FakeCommandLine, tmp_path: Path, changes: int
) -> None:
    file = tmp_path / "events.ndjson"
    line.world.journal.killed_after = changes
    assert line.run("up", "demo", "--events", str(file)).exit_code == 1
    events = events_in(file.read_text())
    steps = steps_in(events)
    assert [step for step, end in steps if end == "started"] == [
        step for step, end in steps if end != "started"
    ]
    assert [(one["status"], one["error"]) for one in events[-2:]] == [("failed", "interrupted")] * 2


def test_a_file_that_cannot_be_opened_changes_nothing(
    line: FakeCommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "none" / "events.ndjson"
    error = line.failed(2, "up", "demo", "--events", str(file))
    assert "Could not open file" in error
    assert line.world.journal.changes == []


def test_the_clusters_log_has_each_run(demo: FakeCommandLine) -> None:
    state = find_directories().cluster_state(ClusterName("demo"))
    claim(state)
    demo.done("up", "demo")
    demo.world.api.sick_checks.add("dns")
    assert demo.run("up", "demo").exit_code == 8
    good, bad = (events_in(file.read_text()) for file in sorted_by_age(state))
    assert [step for step, end in steps_in(good) if end == "finished"] == STEPS
    assert (Step.VERIFY, "failed") in steps_in(bad)
    assert {one["detail"] for one in good} >= {"qemu-img --version"}


def sorted_by_age(state: Path) -> list[Path]:
    """Return the logs of the runs, the oldest first."""
    return sorted((state / "runs").iterdir(), key=lambda file: file.stat().st_mtime_ns)
