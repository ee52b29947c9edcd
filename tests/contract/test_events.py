"""The Events port: what is reported, in its order."""

import contextlib
import re

import pytest

from bootstrap.errors import HostError
from bootstrap.model.events import Status, Step, Unit
from bootstrap.ports import Events
from tests.fakes.events import FakeEvents


@pytest.fixture
def events() -> FakeEvents:
    return FakeEvents()


def test_events_come_in_the_order_in_which_they_happen(events: FakeEvents) -> None:
    with events.step(Step.BOOT, "Booting"):
        events.node("demo-worker", "booting")
        events.waiting("no answer", node="demo-worker")
        events.waiting("no API")
        events.note("No KVM")
    with events.step(Step.JOIN, "Joining"):
        events.node("demo-worker", "Ready")
    assert events.seen == [
        (Status.STARTED, Step.BOOT, None, "Booting"),
        (Status.RUNNING, Step.BOOT, "demo-worker", "booting"),
        (Status.WAITING, Step.BOOT, "demo-worker", "no answer"),
        (Status.WAITING, Step.BOOT, None, "no API"),
        (Status.NOTE, Step.BOOT, None, "No KVM"),
        (Status.FINISHED, Step.BOOT, None, "Booting"),
        (Status.STARTED, Step.JOIN, None, "Joining"),
        (Status.RUNNING, Step.JOIN, "demo-worker", "Ready"),
        (Status.FINISHED, Step.JOIN, None, "Joining"),
    ]


def test_a_nodes_work_is_reported_when_it_changes_and_not_before(events: FakeEvents) -> None:
    for node, work in [("a", "boots"), ("b", "boots"), ("a", "boots"), ("b", "up"), ("a", "up")]:
        events.node(node, work)
    events.node("a", "boots")
    assert [(node, detail) for _, _, node, detail in events.seen] == [
        *(("a", "boots"), ("b", "boots"), ("b", "up"), ("a", "up"), ("a", "boots")),
    ]


def test_a_step_or_a_note_may_come_twice(events: FakeEvents) -> None:
    for _ in range(2):
        with events.step(Step.BOOT, "Booting"):
            events.note("once more")
    assert [detail for *_, detail in events.seen] == ["Booting", "once more", "Booting"] * 2


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (HostError("No disk.", details="full", hint="df"), "No disk."),
        (OSError(28, "No space left"), "[Errno 28] No space left"),
        (SystemExit(130), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_step_that_raises_has_failed_and_the_error_passes(
    events: FakeEvents, error: BaseException, detail: str
) -> None:
    with pytest.raises(type(error)) as caught, events.step(Step.BOOT, "Booting"):
        raise error
    assert caught.value is error
    assert events.seen[1:] == [(Status.FAILED, Step.BOOT, None, detail)]


def test_a_step_inside_a_step_ends_first_and_the_outer_one_goes_on(events: FakeEvents) -> None:
    with events.step(Step.CREATE_MACHINES, "Creating"):
        with contextlib.suppress(HostError), events.step(Step.REMOVE, "Removing"):
            raise HostError("No.")
        events.note("after it")
    assert [(status, step) for status, step, *_ in events.seen] == [
        (Status.STARTED, Step.CREATE_MACHINES),
        (Status.STARTED, Step.REMOVE),
        (Status.FAILED, Step.REMOVE),
        (Status.NOTE, Step.CREATE_MACHINES),
        (Status.FINISHED, Step.CREATE_MACHINES),
    ]


def test_events_outside_of_any_step_have_none(events: FakeEvents) -> None:
    events.node("demo-worker", "boots")
    events.note("before any step")
    assert [step for _, step, *_ in events.seen] == [None, None]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "100 %", "[red", "é ✓", "x" * 500, ":smile:"])
def test_a_text_is_reported_as_it_is(events: FakeEvents, text: str) -> None:
    """H-09: nothing in it is taken for mark-up, and nothing is cut."""
    report_everywhere(events, text)
    assert {detail for *_, detail in events.seen} == {text}


def test_a_guests_control_codes_reach_no_reader(events: FakeEvents) -> None:
    """H-09, SEC-15."""
    report_everywhere(events, "a\x1b[2Jb\x1b]0;title\x07\x9b31m\u202eend")
    assert len(events.seen) == 7
    for *_, detail in events.seen:
        assert detail.startswith("ab")
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", detail)


def test_a_text_of_several_lines_is_one_line(events: FakeEvents) -> None:
    report_everywhere(events, "first\nsecond\n")
    assert {detail for *_, detail in events.seen} == {"first second"}


def report_everywhere(events: Events, text: str) -> None:
    """Report a text wherever one is taken: seven events."""
    with contextlib.suppress(HostError), events.step(Step.BOOT, text):
        events.note(text)
        raise HostError(text)
    with events.step(Step.JOIN, text):
        events.waiting(text)
    events.node("demo-worker", text)


def test_a_node_ends_its_work(events: FakeEvents) -> None:
    with events.step(Step.JOIN, "Joining"):
        events.node("demo-worker", "booting", phase=Step.BOOT)
        events.node("demo-worker", "joined", is_done=True)
        events.node("demo-worker", "joined", is_done=True)
    assert events.seen[1:-1] == [
        (Status.RUNNING, Step.JOIN, "demo-worker", "booting"),
        (Status.DONE, Step.JOIN, "demo-worker", "joined"),
    ]


def test_of_many_amounts_the_first_and_the_last_are_reported(events: FakeEvents) -> None:
    for done in range(1000):
        events.progress("Copying", done, 999, Unit.BYTES)
    events.progress("Fetching", 1, None, Unit.MODULES)
    details = [detail for *_, detail in events.seen]
    assert details[0] == "Copying"
    assert details[-2:] == ["Copying", "Fetching"]
    assert len(details) < 100
