"""What is learned of earlier runs, and what is estimated from it."""

import contextlib
from pathlib import Path

import pytest

from bootstrap.adapters.events.course import Course
from bootstrap.adapters.events.durations import Durations, PastRun
from bootstrap.adapters.events.stream import Clock, EventStream
from bootstrap.errors import HostError
from bootstrap.model.events import Step, Unit
from bootstrap.ports import EventReader


class Stopwatch:
    """Is a clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Run:
    """Is a run of known times."""

    def __init__(self, *readers: EventReader) -> None:
        self.clock = Stopwatch()
        self.events = EventStream(*readers, clock=Clock(monotonic=self.clock))

    def step(self, step: Step, seconds: float) -> None:
        with self.events.step(step, step.value):
            self.clock.now_s += seconds


@pytest.fixture
def durations(tmp_path: Path) -> Durations:
    return Durations(tmp_path / "cache" / "durations.json")


def past(found: tuple[str, ...] = (), nodes: int = 0, **seconds: float) -> PastRun:
    return PastRun(command="bootstrap up", found=found, nodes=nodes, seconds=seconds)


def test_a_run_that_ends_well_is_kept(durations: Durations) -> None:
    run = Run(Course(durations))
    with run.events.whole_run("bootstrap up"):
        run.events.node("control-plane", "running", is_done=True)
        run.step(Step.BOOT, 3)
        with run.events.step(Step.JOIN, "Joining"):
            run.clock.now_s += 4
            run.events.node("worker", "booting", phase=Step.BOOT)
    assert durations.runs() == [past(("running",), 2, boot=3, join=4)]


def test_a_run_that_fails_or_has_no_step_is_not_kept(durations: Durations) -> None:
    run = Run(Course(durations))
    with contextlib.suppress(HostError), run.events.whole_run("bootstrap up"):
        run.step(Step.BOOT, 3)
        raise HostError("No.")
    with Run(Course(durations)).events.whole_run("bootstrap up"):
        pass
    assert durations.runs() == []


def test_the_newest_twenty_runs_of_each_command_are_kept(durations: Durations) -> None:
    durations.add(PastRun(command="bootstrap down", found=(), nodes=0, seconds={"remove": 1}))
    for number in range(25):
        durations.add(past(boot=number))
    kept = durations.runs()
    assert [run.seconds.get("boot") for run in kept] == [None, *range(5, 25)]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"command": "x"}]', "[" * 100_000, "\x00"])
def test_a_damaged_file_is_as_none_and_is_written_anew(durations: Durations, text: str) -> None:
    durations.add(past(boot=1))
    path = durations._path  # noqa: SLF001 - the file that is damaged
    path.write_text(text)
    assert durations.runs() == []
    durations.add(past(boot=2))
    assert [run.seconds for run in durations.runs()] == [{"boot": 2}]


def test_a_file_that_cannot_be_written_stops_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    durations = Durations(tmp_path / "file" / "durations.json")
    durations.add(past(boot=1))
    assert durations.runs() == []


def test_the_rest_is_what_earlier_runs_took_for_what_is_not_done(durations: Durations) -> None:
    for boot in (10, 20, 90):
        durations.add(past(boot=boot, join=30, verify=15))
    course = Course(durations)
    run = Run(course)
    with run.events.whole_run("bootstrap up"):
        assert course.seconds_left(0) == 65
        with run.events.step(Step.BOOT, "Booting"):
            assert course.seconds_left(5) == 60
            assert (course.seconds_left(30), course.is_late(30)) == (45, False)
            assert (course.seconds_left(50), course.is_late(50)) == (45, True)
            run.clock.now_s = 50
        assert (course.seconds_left(50), course.is_late(50)) == (45, False)
        run.step(Step.JOIN, 30)
        assert course.seconds_left(80) == 15


def test_a_cluster_that_exists_is_compared_with_such_ones(durations: Durations) -> None:
    durations.add(past(nodes=2, boot=60))
    durations.add(past(nodes=4, boot=100))
    durations.add(past(("running",), 1, boot=1))
    course = Course(durations)
    run = Run(course)
    with run.events.whole_run("bootstrap up"):
        assert course.seconds_left(0) == 80
        for name in ("control-plane", "worker"):
            run.events.node(name, "creating")
        assert course.seconds_left(0) == 60
    other = Course(durations)
    with Run(other).events.whole_run("bootstrap up"):
        pass
    again = Run(other)
    with again.events.whole_run("bootstrap up"):
        again.events.node("control-plane", "running", is_done=True)
        assert other.seconds_left(0) == 1


def test_without_earlier_runs_nothing_is_known_but_what_the_numbers_say(
    durations: Durations,
) -> None:
    course = Course(durations)
    run = Run(course)
    with run.events.whole_run("bootstrap up"):
        assert course.seconds_left(1) is None
        with run.events.step(Step.PREPARE_IMAGE, "Preparing"):
            run.events.progress("Compiling", 0, 100, Unit.PACKAGES)
            assert course.seconds_left(1) is None
            run.clock.now_s = 10
            run.events.progress("Compiling", 20, 100, Unit.PACKAGES)
            assert course.seconds_left(10) == 40
            assert course.seconds_left(20) == 30
            run.events.progress("Other", 1, None, Unit.MODULES)
            assert course.seconds_left(20) == 30


def test_of_pieces_at_the_same_time_the_longest_counts(durations: Durations) -> None:
    course = Course(durations)
    run = Run(course)
    with run.events.step(Step.PREPARE_IMAGE, "Preparing"):
        for second in range(3):
            run.clock.now_s = second * 10
            run.events.progress("Compiling", second * 10, 100, Unit.PACKAGES)
            run.events.progress("Fetching", second * 40, 100, Unit.BYTES)
        assert course.seconds_left(20) == 80
        run.clock.now_s = 99
        run.events.progress("Compiling", 99, 100, Unit.PACKAGES)
        assert course.seconds_left(99) == 1
