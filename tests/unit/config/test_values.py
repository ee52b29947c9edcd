"""Plain values: text stays text, numbers stay numbers."""

import pytest

from bootstrap.config.plain_scalars import Trap
from bootstrap.config.values import close_match, one_of, text, whole_number


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Trap("1.30", "the number 1.3"), '1.30 was read as the number 1.3; write "1.30"'),
        (Trap("no", "the boolean false"), 'no was read as the boolean false; write "no"'),
        (False, 'false was read as the boolean false; write "false"'),
        (12, '12 was read as the number 12; write "12"'),
        (None, "is empty; give it a value or remove the key"),
        ([], "is a list or a mapping; write one value"),
    ],
)
def test_what_is_not_text_is_refused_with_what_to_write(value: object, message: str) -> None:
    """P-13."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below
        text(value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "0 is out of range; use 1 to 9"),
        (10, "10 is out of range; use 1 to 9"),
        (True, "is not a number; write a whole number, 1 to 9"),
        (None, "is not a number; write a whole number, 1 to 9"),
        ({}, "is not a number; write a whole number, 1 to 9"),
        ("3", "'3' is text; write a whole number without quotes, 1 to 9"),
        (
            Trap("yes", "the boolean true"),
            "yes was read as the boolean true; write a plain whole number, 1 to 9",
        ),
    ],
)
def test_what_is_not_a_number_in_range_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below
        whole_number(1, 9)(value)
    assert str(caught.value) == message


def test_both_ends_of_a_range_are_in_it() -> None:
    assert [whole_number(1, 9)(value) for value in (1, 9)] == [1, 9]


def test_a_word_that_quoting_would_not_help_is_refused_with_the_allowed_ones() -> None:
    read = one_of("a role", ["a", "b"])
    assert read("a") == "a"
    with pytest.raises(ValueError, match="'c' is not a role; use 'a' or 'b'"):
        read("c")
    with pytest.raises(ValueError, match=r"write \"on\" \(allowed: 'a' or 'b'\)"):
        read(Trap("on", "the boolean true"))


def test_only_a_close_word_is_suggested() -> None:
    assert close_match("worker", ["workers", "memory"]) == "workers"
    assert close_match("ttl", ["workers", "memory"]) is None
