"""Lay out the comparison of two runs: a pair of bars for each step."""

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.pictures.runs.comparison import Change, StepChange
from bootstrap.pictures.text import difference, duration, width_of

_MARGIN, _ROW, _BAR = 12, 34, 11
_WORDS_WIDTH = 190
_LEAST_BAR = 1.0
_GAP = 8
_WORDS = {
    Change.SAME: "about the same",
    Change.NEW: "not before",
    Change.GONE: "not now",
    Change.UNFINISHED: "did not finish",
}
_KINDS = {Change.SLOWER: "slower", Change.UNFINISHED: "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The bars of a step: now, and before below it."""

    name: str
    y: float
    now: float
    before: float
    words: str
    words_x: float
    kind: str
    hover: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All of it."""

    width: float
    height: float
    bar: float
    plot_x: float
    pairs: Sequence[Pair]


def lay_out(changes: Sequence[StepChange], width: float) -> Chart:
    """Lay out the comparison."""
    left = max(width_of(change.name) for change in changes) + _MARGIN + _GAP
    plot = width - left - _WORDS_WIDTH - 2 * _GAP
    longest = max(max(change.now_s or 0, change.before_s or 0) for change in changes)

    def length(seconds: float | None) -> float:
        return 0 if seconds is None else max(plot * seconds / max(longest, 0.001), _LEAST_BAR)

    pairs = [
        Pair(
            name=change.name,
            y=number * _ROW,
            now=round(length(change.now_s), 1),
            before=round(length(change.before_s), 1),
            words=words(change),
            words_x=round(left + _GAP + max(map(length, (change.now_s, change.before_s))), 1),
            kind=_KINDS.get(change.change, "step"),
            hover=_hover(change),
        )
        for number, change in enumerate(changes)
    ]
    return Chart(
        width=width,
        height=len(pairs) * _ROW,
        bar=_BAR,
        plot_x=round(left, 1),
        pairs=pairs,
    )


def words(change: StepChange) -> str:
    """Say how a step differs, with the sign of the difference and in a word."""
    if change.change in _WORDS:
        return _WORDS[change.change]
    return f"{difference(change.difference_s)} {change.change.value}{_part(change)}"


def _part(change: StepChange) -> str:
    if not change.before_s or change.before_s < 1:
        return ""
    percent = round(100 * change.difference_s / change.before_s)
    return f" ({percent:+d} %)".replace("-", "\N{MINUS SIGN}")


def _hover(change: StepChange) -> str:
    def text(seconds: float | None) -> str:
        return "not part of it" if seconds is None else duration(seconds)

    return f"{change.name}: {text(change.now_s)} now, {text(change.before_s)} before"
