"""What a user sees on a terminal or a pipe."""

import io
import re

import pytest

from bootstrap.adapters.events.lines import Lines
from bootstrap.adapters.events.stream import Clock, EventStream
from bootstrap.errors import HostError
from bootstrap.model.events import Step, Unit


def a_run(stream: io.TextIOBase, *, show_commands: bool = False) -> None:
    """Report one event of each status."""
    lines = Lines(stream, show_commands=show_commands)  # type: ignore[arg-type] # it is text
    seconds = iter(range(0, 1000, 7))
    events = EventStream(lines, clock=Clock(monotonic=lambda: next(seconds)))
    with events.whole_run("bootstrap up"):
        with events.step(Step.BOOT, "Booting the nodes"):
            events.command("virsh -c qemu:///session start demo-worker")
            events.node("demo-worker", "booting")
            events.waiting("waiting for SSH", node="demo-worker")
            events.waiting("waiting for the API server")
            events.note("[bold]No KVM[/bold]")
            events.node("demo-worker", "booted", is_done=True)
        with pytest.raises(HostError), events.step(Step.JOIN, "Joining the workers"):
            raise HostError("No.")


LINES = """\
    14 s  Booting the nodes ...
    21 s    $ virsh -c qemu:///session start demo-worker
    28 s    demo-worker: booting
    35 s    demo-worker: waiting for SSH
    42 s    waiting for the API server
    49 s    [bold]No KVM[/bold]
    56 s    demo-worker: booted
    70 s  Joining the workers ...
"""


def test_a_line_has_the_time_since_the_run_began() -> None:
    stream = io.StringIO()
    a_run(stream, show_commands=True)
    assert stream.getvalue() == LINES


def test_commands_are_shown_only_if_asked() -> None:
    stream = io.StringIO()
    a_run(stream)
    assert "virsh" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 7


def test_an_amount_is_written_every_ten_seconds_and_at_its_end() -> None:
    stream, seconds = io.StringIO(), iter(range(1000))
    events = EventStream(Lines(stream), clock=Clock(monotonic=lambda: next(seconds)))
    for done in range(13):
        events.progress("Copying", done * 10**6, 12 * 10**6, Unit.BYTES)
    events.progress("Fetching", 1, None, Unit.MODULES)
    lines = [line.split("s  ", 1)[1].strip() for line in stream.getvalue().splitlines()]
    assert lines == [
        *("Copying: 0.0 of 12.0 MB", "Copying: 5.0 of 12.0 MB", "Copying: 10.0 of 12.0 MB"),
        *("Copying: 12.0 of 12.0 MB", "Fetching: 1 modules"),
    ]


def test_pieces_at_the_same_time_keep_a_pace_of_their_own() -> None:
    stream, seconds = io.StringIO(), iter(range(1000))
    events = EventStream(Lines(stream), clock=Clock(monotonic=lambda: next(seconds)))
    for done in range(6):
        events.progress("Copying", done * 10**6, 90 * 10**6, Unit.BYTES)
        events.progress("Compiling", done, 90, Unit.PACKAGES)
    lines = [line.split("s  ", 1)[1].strip() for line in stream.getvalue().splitlines()]
    assert lines == [
        *("Copying: 0.0 of 90.0 MB", "Compiling: 0 of 90 packages"),
        *("Copying: 3.0 of 90.0 MB", "Compiling: 3 of 90 packages"),
    ]


def test_how_a_node_was_found_is_not_written() -> None:
    stream = io.StringIO()
    EventStream(Lines(stream)).node("worker", "running", is_done=True)
    assert stream.getvalue() == ""


def test_the_end_of_the_reader_is_no_defect() -> None:
    """R-12."""

    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        a_run(Gone())


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "100 %", "[red", "é ✓", "x" * 500, ":smile:"])
def test_a_text_is_shown_as_it_is(text: str) -> None:
    """H-09: nothing in it is taken for mark-up, and nothing is cut."""
    assert shown(text) == [f"{text} ...", text, f"demo-worker: {text}", f"demo-worker: {text}"]


def test_a_guests_control_codes_reach_no_terminal() -> None:
    """H-09, SEC-15."""
    lines = shown("a\x1b[2Jb\x1b]0;title\x07\x9b31m\r\n\u202eend")
    assert len(lines) == 4
    assert all("ab" in line and "end" in line for line in lines)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "".join(lines))


def shown(text: str) -> list[str]:
    """Show a text wherever there is one, and return the lines without their times."""
    stream = io.StringIO()
    events = EventStream(Lines(stream))
    with events.step(Step.BOOT, text):
        events.note(text)
        events.node("demo-worker", text)
        events.waiting(text, node="demo-worker")
    return [re.sub(r"^ *\d+ s +", "", line) for line in stream.getvalue().split("\n")[:-1]]
