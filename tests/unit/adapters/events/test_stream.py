"""Who gets which event, and what failures are called."""

import pytest

from bootstrap.adapters.events.commands import commands_to, log_command
from bootstrap.adapters.events.stream import Clock, EventStream, new_run_id
from bootstrap.errors import BootstrapError, HostError, TimedOutError
from bootstrap.model.events import Event, Status, Step
from tests.unit.adapters.events.conftest import Begin


class Remembering:
    """Remembers the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def read(self, event: Event) -> None:
        self.events.append(event)

    def details(self) -> list[str]:
        return [event.detail for event in self.events]


class Gone:
    """Is a pipe without a reader."""

    def read(self, _event: Event) -> None:
        raise BrokenPipeError


class GoneLater(Remembering):
    """Is a pipe whose reader goes after the first event."""

    def read(self, event: Event) -> None:
        if self.events:
            raise BrokenPipeError
        super().read(event)


class InterruptedOnce:
    """Is a clock at whose second reading a signal comes; the first begins the run."""

    def __init__(self) -> None:
        self._readings = 0

    def __call__(self) -> float:
        self._readings += 1
        if self._readings == 2:
            raise KeyboardInterrupt
        return float(self._readings)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HostError("x"), "host-not-fit"),
        (TimedOutError("x"), "deadline-passed"),
        (OSError("x"), BootstrapError.code),
        (ValueError("x"), "internal"),
        (SystemExit(143), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_failed_step_has_the_errors_id(error: BaseException, code: str) -> None:
    seen = Remembering()
    with pytest.raises(type(error)), EventStream(seen).step(Step.BOOT, "Booting"):
        raise error
    assert [(event.status, event.error) for event in seen.events] == [
        (Status.STARTED, None),
        (Status.FAILED, code),
    ]


def test_who_comes_late_gets_the_runs_start_and_an_end_of_its_own() -> None:
    whole, late = Remembering(), Remembering()
    events = EventStream(whole)
    with events.whole_run("bootstrap up"):
        events.note("early")
        with events.attached(late):
            events.note("late")
        events.result = "done"
    assert late.details() == ["bootstrap up", "late", "bootstrap up"]
    assert [event.status for event in late.events][::2] == [Status.STARTED, Status.FINISHED]
    assert whole.details() == ["bootstrap up", "early", "late", "bootstrap up"]
    assert (whole.events[-1].result, late.events[-1].result) == ("done", None)


def test_who_comes_late_is_told_how_its_block_failed() -> None:
    late = Remembering()
    events = EventStream()
    with pytest.raises(KeyboardInterrupt), events.whole_run("x"), events.attached(late):
        raise KeyboardInterrupt
    assert (late.events[-1].status, late.events[-1].error) == (Status.FAILED, "interrupted")


def test_a_late_reader_that_has_gone_does_not_hide_why_its_block_failed() -> None:
    events = EventStream()
    with pytest.raises(HostError), events.whole_run("x"), events.attached(GoneLater()):
        raise HostError("x")


def test_who_comes_late_to_what_is_no_run_gets_what_happens_only() -> None:
    late = Remembering()
    events = EventStream()
    with events.attached(late):
        events.note("x")
    assert late.details() == ["x"]


def test_a_reader_that_has_gone_does_not_hide_why_a_step_failed() -> None:
    with pytest.raises(HostError), EventStream(GoneLater()).step(Step.BOOT, "Booting"):
        raise HostError("x")


def test_a_signal_before_a_steps_start_is_read_ends_the_run_as_any_other() -> None:
    """R-07: the signal comes while the first event is made."""
    seen = Remembering()
    events = EventStream(seen, clock=Clock(monotonic=InterruptedOnce()))
    with pytest.raises(KeyboardInterrupt), events.step(Step.REMOVE, "Removing"):
        pass
    assert [(event.status, event.error) for event in seen.events] == [
        (Status.FAILED, "interrupted"),
    ]
    assert events.seconds_by_step() == {"remove": 0}


def test_an_attached_reader_gets_what_happens_in_its_block() -> None:
    events, seen = EventStream(), Remembering()
    events.note("before")
    with events.attached(seen):
        events.note("inside")
    events.note("after")
    assert seen.details() == ["inside"]


def test_an_attached_reader_gets_an_event_that_ends_another_reader() -> None:
    events, seen = EventStream(Gone()), Remembering()
    with events.attached(seen), pytest.raises(BrokenPipeError):
        events.note("x")
    assert seen.details() == ["x"]


def test_the_seconds_of_a_step_are_those_between_its_start_and_its_end(begin: Begin) -> None:
    events = begin()
    with events.step(Step.BOOT, "Booting"):
        events.note("x")
    with pytest.raises(HostError), events.step(Step.JOIN, "Joining"):
        raise HostError("x")
    with events.step(Step.BOOT, "Booting again"):
        assert events.seconds_by_step() == {"boot": 3.0, "join": 1.5}
    assert events.seconds_by_step() == {"boot": 4.5, "join": 1.5}


def test_a_runs_result_comes_with_its_end_alone() -> None:
    seen = Remembering()
    events = EventStream(seen)
    with events.whole_run("bootstrap up"):
        events.result = {"name": "demo"}
        with events.step(Step.BOOT, "Booting"):
            pass
    assert [event.result for event in seen.events] == [None, None, None, {"name": "demo"}]


def test_ids_of_runs_differ() -> None:
    assert new_run_id() != new_run_id()


def test_a_command_can_be_copied_and_is_reported_once_in_a_row() -> None:
    seen = Remembering()
    with commands_to(EventStream(seen).command):
        for words in (["ls", "a b"], ["ls", "a b"], ["true"], ["ls", "a b"]):
            log_command(words)
    log_command(["not", "heard"])
    assert seen.details() == ["ls 'a b'", "true", "ls 'a b'"]
    assert {event.status for event in seen.events} == {Status.COMMAND}


def test_a_password_in_a_url_is_not_reported() -> None:
    taken: list[str] = []
    with commands_to(taken.append):
        log_command(["fetch", "http://user:secret@mirror.example/debian", "a@b"])
    assert taken == ["fetch 'http://***@mirror.example/debian' a@b"]
