"""The Progress port: the fake and the console tell the same, in the same order."""

import io
import re
from typing import Protocol

import pytest

from bootstrap.cli.console import StepProgress
from bootstrap.ports import Progress
from tests.fakes.progress import FakeProgress


class Place(Protocol):
    """A user who is told things, fake or real."""

    progress: Progress

    def told(self) -> list[str]:
        """Give what was told, a line each: ``title``, ``node: status`` and ``note``."""


class FakePlace:
    def __init__(self) -> None:
        self._fake = FakeProgress()
        self.progress: Progress = self._fake

    def told(self) -> list[str]:
        return self._fake.told


class RealPlace:
    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.progress: Progress = StepProgress(self._stream)

    def told(self) -> list[str]:
        lines = self._stream.getvalue().splitlines()
        return [re.sub(r"^ *\d+ s +|( \.\.\.)$", "", line) for line in lines]


@pytest.fixture(params=["fake", "console"])
def place(request: pytest.FixtureRequest) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace()


def test_what_happens_is_told_in_its_order(place: Place) -> None:
    place.progress.step("Booting")
    place.progress.node("demo-worker", "waiting for SSH")
    place.progress.note("No KVM")
    place.progress.step("Joining")
    place.progress.node("demo-worker", "Ready")
    assert place.told() == [
        "Booting",
        "demo-worker: waiting for SSH",
        "No KVM",
        "Joining",
        "demo-worker: Ready",
    ]


def test_a_nodes_status_is_told_when_it_changes_and_not_before(place: Place) -> None:
    for node, status in [("a", "boots"), ("b", "boots"), ("a", "boots"), ("b", "up"), ("a", "up")]:
        place.progress.node(node, status)
    place.progress.node("a", "boots")
    assert place.told() == ["a: boots", "b: boots", "b: up", "a: up", "a: boots"]


def test_a_step_or_a_note_may_come_twice(place: Place) -> None:
    for _ in range(2):
        place.progress.step("Booting")
        place.progress.note("once more")
    assert place.told() == ["Booting", "once more"] * 2


def test_a_step_that_ends_nothing_and_a_node_without_a_step_are_fine(place: Place) -> None:
    place.progress.node("demo-worker", "boots")
    place.progress.note("before any step")
    place.progress.step("Booting")
    assert place.told() == ["demo-worker: boots", "before any step", "Booting"]


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "100 %", "[red", "é ✓", "x" * 500, ":smile:"])
def test_a_text_is_told_as_it_is(place: Place, text: str) -> None:
    """H-09: nothing in it is taken for mark-up, and nothing is cut."""
    place.progress.step(text)
    place.progress.node("demo-worker", text)
    place.progress.note(text)
    assert place.told() == [text, f"demo-worker: {text}", text]


def test_a_guests_control_codes_reach_nobodys_terminal(place: Place) -> None:
    """H-09, SEC-15."""
    place.progress.step("a\x1b[2Jb")
    place.progress.note("a\x1b]0;title\x07b")
    place.progress.node("demo-worker", "a\x1b[31mb\x07")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(place.told()))


def test_a_text_of_several_lines_is_one_line(place: Place) -> None:
    """A line each, so that a pipe can be read by a program."""
    place.progress.note("first\nsecond\n")
    assert len(place.told()) == 1
