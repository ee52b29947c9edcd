"""Texts fit, and times are written as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.pictures.text import difference, duration, shortened, tick_text, ticks, width_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (60, "1 min"),
        (75.4, "1 min 15 s"),
        (3599.6, "1 h 0 min"),
        (7384, "2 h 3 min"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_difference_has_its_sign() -> None:
    assert (difference(1), difference(-61)) == ("+1.0 s", "\N{MINUS SIGN}1 min 1 s")


@given(st.text(), st.floats(0, 500))
def test_what_is_shortened_fits_and_is_a_beginning(text: str, room: float) -> None:
    short = shortened(text, room)
    assert short == "" or width_of(short) <= room
    assert text.startswith(short.removesuffix("…"))


def test_wide_letters_take_more_room() -> None:
    assert width_of("漢字") == 2 * width_of("ab")
    assert shortened("control-plane", 40) == "cont…"


@given(st.floats(0, 1e6), st.integers(2, 20))
def test_ticks_begin_at_zero_and_are_neither_too_many_nor_beyond_the_end(
    seconds: float, most: int
) -> None:
    found = ticks(seconds, most)
    assert found[0] == 0
    assert len(found) <= most + 1
    assert found[-1] <= seconds * 1.0001


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (0.5, "0.5 s"), (90, "1 min 30 s")])
def test_a_tick(seconds: float, text: str) -> None:
    assert tick_text(seconds) == text
