"""What a guest says cannot write on a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.terminal import without_control_codes


@given(st.text())
def test_nothing_but_text_tabs_and_lines_is_left(text: str) -> None:
    """H-09."""
    clean = without_control_codes(text)
    assert not [char for char in clean if ord(char) < 32 and char not in "\t\n"]
    assert not [char for char in clean if 0x7F <= ord(char) <= 0x9F]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("plain ü 漢", "plain ü 漢"),
    ],
)
def test_colours_and_movements_go_and_text_stays(text: str, clean: str) -> None:
    assert without_control_codes(text) == clean
