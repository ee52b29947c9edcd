"""What the live view leaves on a terminal."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import screen
from bootstrap.adapters.events.course import Course
from bootstrap.adapters.events.durations import Durations
from bootstrap.adapters.events.live.view import LiveView
from bootstrap.adapters.events.stream import EventStream
from bootstrap.errors import HostError
from bootstrap.model.events import Step
from tests.fakes.terminal import FakeTerminal


@pytest.fixture
def terminal() -> Iterator[FakeTerminal]:
    terminal = FakeTerminal()
    yield terminal
    terminal.close()


def report(terminal: FakeTerminal, path: Path, error: BaseException | None = None) -> None:
    """Report a run; it ends with the error, if there is one."""
    course = Course(Durations(path / "durations.json"))
    with terminal.stream() as stream:
        view = LiveView(course, stream=stream, show_commands=True)
        with view.shown() as reader:
            events = EventStream(course, reader)
            with events.whole_run("bootstrap up"):
                with events.step(Step.CREATE_MACHINES, "Creating the machines"):
                    events.note("No KVM")
                    events.command("virsh start demo-worker " + "x" * 100)
                with events.step(Step.BOOT, "Booting the nodes"):
                    events.node("worker", "booting")
                    if error:
                        raise error
                screen.leave()
                os.write(terminal.slave, b"result\n")


def test_the_result_follows_the_steps_and_nothing_else(
    terminal: FakeTerminal, tmp_path: Path
) -> None:
    report(terminal, tmp_path)
    assert terminal.lines() == [
        "  No KVM",
        "  $ virsh start demo-worker " + "x" * 100,
        "✓ Creating the machines  0 s",
        "✓ Booting the nodes  0 s",
        "result",
    ]
    assert "0 s so far" in terminal.written


def test_an_error_follows_the_nodes_as_they_were(terminal: FakeTerminal, tmp_path: Path) -> None:
    with pytest.raises(HostError):
        report(terminal, tmp_path, HostError("No."))
    screen.freeze()
    os.write(terminal.slave, b"error: No.\n")
    lines = terminal.lines()
    assert lines[-3] == "✗ Booting the nodes  0 s"
    assert lines[-2].split() == ["✗", "worker", "boot", "booting", "0", "s"]
    assert lines[-1] == "error: No."


def test_a_signal_leaves_the_view_where_it_was(terminal: FakeTerminal, tmp_path: Path) -> None:
    course = Course(Durations(tmp_path / "durations.json"))
    with terminal.stream() as stream:
        # Every event is drawn, for the clock goes fast.
        view = LiveView(course, stream=stream, clock=itertools.count().__next__)
        with view.shown() as reader, contextlib.suppress(SystemExit):
            events = EventStream(course, reader)
            with events.whole_run("bootstrap up"), events.step(Step.BOOT, "Booting the nodes"):
                events.node("worker", "booting")
                screen.freeze()
                os.write(terminal.slave, b"interrupted\n")
                raise SystemExit(130)
    lines = terminal.lines()
    assert "Booting the nodes" in lines[0]
    assert "worker" in lines[1]
    assert lines[-1] == "interrupted"


def test_no_colour_is_written_where_none_is_wanted(
    terminal: FakeTerminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    report(terminal, tmp_path)
    terminal.read()
    assert "\x1b[32m" not in terminal.written
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    report(terminal, tmp_path)
    terminal.read()
    assert "\x1b[32m" in terminal.written


def test_a_terminal_that_has_gone_ends_no_run(terminal: FakeTerminal, tmp_path: Path) -> None:
    durations = Durations(tmp_path / "durations.json")
    course = Course(durations)
    with terminal.stream() as stream, LiveView(course, stream=stream).shown() as reader:
        terminal.hang_up()
        events = EventStream(course, reader)
        with events.whole_run("bootstrap up"), events.step(Step.BOOT, "Booting"):
            events.note("x")
    assert len(durations.runs()) == 1
