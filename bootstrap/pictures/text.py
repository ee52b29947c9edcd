"""Fit texts into pictures, and write times and dates in them."""

import unicodedata

#: The width of a letter in the font of the style sheet, in pixels; a wide one has twice as much.
_LETTER = 6.75
_ELLIPSIS = "…"
_MINUTE_S, _HOUR_S = 60, 3600
#: Seconds between the ticks of an axis, of which the smallest is taken that leaves room.
_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30)
_LONG_STEPS_S = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440))


def width_of(text: str) -> float:
    """Estimate the width of a text in a picture; rather too much."""
    letters = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
    return letters * _LETTER


def shortened(text: str, room: float) -> str:
    """Return the text, or its beginning with an ellipsis; empty if there is room for neither."""
    if width_of(text) <= room:
        return text
    short = text
    while short and width_of(short + _ELLIPSIS) > room:
        short = short[:-1]
    return short.rstrip() + _ELLIPSIS if len(short) > 1 else ""


def duration(seconds: float) -> str:
    """Write a duration: to a tenth below a minute, and to a second above."""
    if round(seconds, 1) < _MINUTE_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, minutes, rest = whole // _HOUR_S, whole % _HOUR_S // 60, whole % 60
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{minutes} min", *([f"{rest} s"] if rest and not hours else [])])


def difference(seconds: float) -> str:
    """Write a difference of durations, with its sign."""
    sign = "+" if seconds >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{duration(abs(seconds))}"


def ticks(seconds: float, most: int) -> list[float]:
    """Choose round times from 0 on for an axis, and at most so many after 0."""
    steps = (*_STEPS_S, *_LONG_STEPS_S)
    step = next((step for step in steps if seconds / step <= most), seconds / most)
    return [step * number for number in range(int(seconds / step) + 1)]


def tick_text(seconds: float) -> str:
    """Write the time of a tick."""
    if seconds < _MINUTE_S:
        return f"{seconds:g} s"
    return duration(seconds)
