"""The lines at the bottom of a terminal, and what is left of them."""

import os
from collections.abc import Iterator

import pytest

from bootstrap import screen
from bootstrap.screen import Screen
from tests.fakes.terminal import FakeTerminal


@pytest.fixture
def terminal() -> Iterator[FakeTerminal]:
    terminal = FakeTerminal()
    yield terminal
    terminal.close()


@pytest.fixture
def drawn(terminal: FakeTerminal) -> Screen:
    drawn = Screen(terminal.slave)
    drawn.open()
    drawn.draw(["one", "two"])
    return drawn


def test_lines_replace_those_before_and_others_stay_above(
    terminal: FakeTerminal, drawn: Screen
) -> None:
    drawn.draw(["three"], above=["stays"])
    assert terminal.lines() == ["stays", "three"]
    drawn.draw(["four", "five", "six"], above=["stays too"])
    assert terminal.lines() == ["stays", "stays too", "four", "five", "six"]


def test_what_is_written_after_leaving_comes_where_the_lines_were(
    terminal: FakeTerminal, drawn: Screen
) -> None:
    screen.leave()
    drawn.draw(["three"])
    os.write(terminal.slave, b"result\n")
    assert terminal.lines() == ["result"]


def test_what_is_written_after_freezing_comes_below_the_lines(
    terminal: FakeTerminal, drawn: Screen
) -> None:
    screen.freeze()
    drawn.draw(["three"])
    drawn.close(erase=True)
    os.write(terminal.slave, b"error\n")
    assert terminal.lines() == ["one", "two", "error"]


def test_a_narrower_terminal_has_wrapped_the_lines(terminal: FakeTerminal) -> None:
    drawn = Screen(terminal.slave)
    drawn.open()
    drawn.draw(["x" * 50, "\x1b[1mbold\x1b[0m", ""])
    terminal.resize(20)
    terminal.read()
    drawn.draw(["y"])
    assert "\x1b[5A" in terminal.read()


def test_no_more_lines_are_drawn_than_a_terminal_has(terminal: FakeTerminal) -> None:
    terminal.resize(80, 5)
    drawn = Screen(terminal.slave)
    drawn.open()
    drawn.draw([str(number) for number in range(10)])
    assert terminal.lines() == ["0", "1", "2", "3"]


def test_a_terminal_that_says_no_size_has_the_usual_one() -> None:
    reading, writing = os.pipe()
    assert (Screen(writing).width, Screen(writing).height) == (80, 24)
    os.close(reading)
    os.close(writing)


def test_neither_cursor_nor_modes_are_changed(terminal: FakeTerminal, drawn: Screen) -> None:
    modes = terminal.modes()
    drawn.draw(["three"])
    assert terminal.modes() == modes
    terminal.read()
    assert "?" not in terminal.written
