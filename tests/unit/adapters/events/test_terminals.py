"""Where a run is shown live, and where as plain lines."""

import io
from collections.abc import Iterator
from typing import TextIO

import pytest

from bootstrap.adapters.events.terminals import chosen_display
from bootstrap.errors import UsageError
from bootstrap.model.events import Display
from tests.fakes.terminal import FakeTerminal

XTERM = {"TERM": "xterm-256color"}


@pytest.fixture
def stream() -> Iterator[TextIO]:
    """Return a stream to a terminal."""
    terminal = FakeTerminal()
    with terminal.stream() as stream:
        yield stream
    terminal.close()


def chosen(
    wanted: Display,
    environment: dict[str, str],
    *,
    stderr: TextIO,
    stdout: TextIO | None = None,
) -> Display:
    return chosen_display(
        wanted,
        is_on_stdout=stdout is not None,
        environment=environment,
        stdout=stdout,
        stderr=stderr,
    )


@pytest.mark.parametrize(
    ("environment", "display"),
    [
        (XTERM, Display.LIVE),
        (XTERM | {"CI": "true"}, Display.PLAIN),
        (XTERM | {"CI": ""}, Display.LIVE),
        (XTERM | {"NO_COLOR": "1"}, Display.LIVE),
        ({"TERM": "dumb"}, Display.PLAIN),
        ({}, Display.PLAIN),
    ],
)
def test_a_terminal_gets_the_live_view(
    stream: TextIO, environment: dict[str, str], display: Display
) -> None:
    assert chosen(Display.AUTO, environment, stderr=stream) is display


def test_lines_of_events_on_the_same_terminal_exclude_it(stream: TextIO) -> None:
    # Events on a pipe leave the terminal to the view.
    found = chosen(Display.AUTO, XTERM, stderr=stream, stdout=io.StringIO())
    assert found is Display.LIVE
    assert chosen(Display.AUTO, XTERM, stderr=stream, stdout=stream) is Display.PLAIN


@pytest.mark.parametrize("display", [Display.PLAIN, Display.NONE])
def test_the_users_wish_counts(stream: TextIO, display: Display) -> None:
    assert chosen(display, XTERM, stderr=stream) is display


def test_a_ci_job_may_ask_for_the_live_view(stream: TextIO) -> None:
    assert chosen(Display.LIVE, XTERM | {"CI": "1"}, stderr=stream) is Display.LIVE


def test_a_live_view_on_a_pipe_is_wrong_use() -> None:
    assert chosen(Display.AUTO, XTERM, stderr=io.StringIO()) is Display.PLAIN
    with pytest.raises(UsageError, match="needs stderr to be a terminal"):
        chosen(Display.LIVE, XTERM, stderr=io.StringIO())
