"""Logs of runs are read again, whatever became of them."""

import json
from pathlib import Path

import pytest

from bootstrap.adapters.events.history import LoggedRuns
from bootstrap.adapters.events.log import run_log
from bootstrap.adapters.events.stream import EventStream
from bootstrap.adapters.marker import MARKER, claim
from bootstrap.errors import HostError, StateError
from bootstrap.model.events import Status, Step
from bootstrap.model.names import ClusterName

DEMO = ClusterName("demo")
WHOLE = {
    "run": "a",
    "time": "2030-01-02T03:04:05.678Z",
    "elapsedSeconds": 1.5,
    "step": "boot",
    "status": "running",
    "node": "worker",
    "detail": "booting",
    "error": None,
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    claim(tmp_path / "demo")
    return tmp_path / "demo"


@pytest.fixture
def runs(state: Path) -> LoggedRuns:
    return LoggedRuns(state.parent)


def write(state: Path, *lines: str, run: str = "a") -> Path:
    path = state / "runs" / f"{run}.ndjson"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_what_was_logged_is_read_again(state: Path, runs: LoggedRuns) -> None:
    events = EventStream(run="a")
    with events.whole_run("bootstrap up"), run_log(state) as log, events.attached(log):
        with events.step(Step.BOOT, "Booting"):
            events.node("worker", "é\x1b[31m\nx")
        events.note("y")
    read = runs.events(DEMO, "a")
    assert [(event.status, event.step, event.node, event.detail) for event in read] == [
        (Status.STARTED, None, None, "bootstrap up"),
        (Status.STARTED, Step.BOOT, None, "Booting"),
        (Status.RUNNING, Step.BOOT, "worker", "é x"),
        (Status.FINISHED, Step.BOOT, None, "Booting"),
        (Status.NOTE, None, None, "y"),
        (Status.FINISHED, None, None, "bootstrap up"),
    ]
    assert read == sorted(read, key=lambda event: event.time)


def test_a_log_tells_how_the_run_failed(state: Path, runs: LoggedRuns) -> None:
    events = EventStream(run="a")
    with (
        pytest.raises(HostError),
        events.whole_run("x"),
        run_log(state) as log,
        events.attached(log),
    ):
        raise HostError("No disk.")
    last = runs.events(DEMO, "a")[-1]
    assert (last.status, last.step, last.detail, last.error) == (
        *(Status.FAILED, None, "No disk."),
        "host-not-fit",
    )


def test_runs_are_listed_the_oldest_first(state: Path, runs: LoggedRuns) -> None:
    for run in ("b", "c", "a"):
        write(state, run=run)
    assert runs.runs(DEMO) == ["a", "b", "c"]


def test_a_cluster_that_was_removed_or_is_not_ours_has_no_runs(
    state: Path, runs: LoggedRuns
) -> None:
    assert runs.runs(ClusterName("other")) == []
    write(state)
    (state / MARKER).unlink()
    assert runs.runs(DEMO) == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 10**5,
        json.dumps({**WHOLE, "run": "../../other"}),
        json.dumps({**WHOLE, "elapsedSeconds": -1}),
        json.dumps({**WHOLE, "elapsedSeconds": float("nan")}),
        json.dumps({**WHOLE, "elapsedSeconds": float("inf")}),
        json.dumps({**WHOLE, "elapsedSeconds": "1"}),
        json.dumps({**WHOLE, "elapsedSeconds": 10**400}),
        json.dumps({**WHOLE, "time": "yesterday"}),
        json.dumps({**WHOLE, "step": "of a later version"}),
        json.dumps({**WHOLE, "status": "of a later version"}),
        json.dumps({**WHOLE, "node": ["worker"]}),
        json.dumps({**WHOLE, "detail": None}),
        json.dumps({name: value for name, value in WHOLE.items() if name != "detail"}),
        json.dumps(WHOLE)[:-9],
    ],
)
def test_what_is_no_event_is_left_out(state: Path, runs: LoggedRuns, line: str) -> None:
    write(state, json.dumps(WHOLE), line, json.dumps({**WHOLE, "added": "later"}))
    assert [event.detail for event in runs.events(DEMO, "a")] == ["booting", "booting"]


def test_bytes_that_are_no_text_are_no_event(state: Path, runs: LoggedRuns) -> None:
    write(state).write_bytes(b"\xff\xfe\n" + json.dumps(WHOLE).encode())
    assert len(runs.events(DEMO, "a")) == 1


def test_a_log_that_cannot_be_read_is_an_error_with_its_place(
    state: Path, runs: LoggedRuns
) -> None:
    path = state / "runs" / "a.ndjson"
    path.mkdir(parents=True)
    with pytest.raises(StateError, match="the log of run 'a'") as caught:
        runs.events(DEMO, "a")
    assert caught.value.hint == f"ls -ld {path}"
