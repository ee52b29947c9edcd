"""A cluster's own log of its runs."""

import json
from pathlib import Path

import pytest

from bootstrap.adapters.events.log import run_log
from bootstrap.adapters.events.stream import EventStream
from bootstrap.adapters.marker import MARKER, claim, remove


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "demo"


def logged(state: Path) -> dict[str, list[str]]:
    """Return the details of each run's events."""
    return {
        file.stem: [json.loads(line)["detail"] for line in file.read_text().splitlines()]
        for file in sorted((state / "runs").glob("*"))
    }


def test_the_log_begins_when_the_directory_is_the_clusters(state: Path) -> None:
    events = EventStream(run="a")
    with run_log(state) as log, events.attached(log):
        events.note("early")
        assert not state.exists()
        claim(state)
        events.note("late")
        assert logged(state) == {"a": ["early", "late"]}
    file = state / "runs" / "a.ndjson"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_is_written_into_a_directory_that_is_not_ours(state: Path) -> None:
    state.mkdir()
    (state / "file").touch()
    events = EventStream(run="a")
    with run_log(state) as log, events.attached(log):
        events.note("x")
    assert [path.name for path in state.iterdir()] == ["file"]


@pytest.mark.parametrize("is_link", [False, True])
def test_nothing_is_written_beside_the_mark_of_another(state: Path, *, is_link: bool) -> None:
    """G-05: a directory with a mark that names another cluster, or behind a link."""
    other = state.with_name("other")
    claim(other)
    if is_link:
        state.symlink_to(other)
    else:
        other.rename(state)
    events = EventStream(run="a")
    with run_log(state) as log, events.attached(log):
        events.note("x")
    assert [path.name for path in state.iterdir()] == [MARKER]


def test_a_directory_that_is_removed_meanwhile_stays_removed(state: Path) -> None:
    claim(state)
    events = EventStream(run="a")
    with run_log(state) as log, events.attached(log):
        events.note("removing")
        assert remove(state)
        events.note("removed")
    assert not state.exists()


def test_the_last_twenty_runs_are_kept(state: Path) -> None:
    claim(state)
    for number in range(23):
        events = EventStream(run=f"{number:02}")
        with run_log(state) as log, events.attached(log):
            events.note(str(number))
    assert logged(state) == {f"{number:02}": [str(number)] for number in range(3, 23)}


def test_a_log_that_cannot_be_written_stops_no_run(state: Path) -> None:
    claim(state)
    (state / "runs").write_text("in the way")
    events = EventStream(run="a")
    with run_log(state) as log, events.attached(log):
        events.note("x")
        events.note("y")
    assert (state / "runs").read_text() == "in the way"
