"""Find the critical path: the chain of bars that made a run as long as it was."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bootstrap.pictures.runs.run import Bar, Run

#: Less than this between two bars is no time of its own.
_GRAIN_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the critical path, on one lane."""

    #: None for the cluster's lane.
    node: str | None
    title: str
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


def critical_path(run: Run) -> Sequence[Stretch]:
    """Return the critical path of a run, from its start to its end, without gaps.

    Read backwards from the end, it is the bar that ended last, then the one that ended last
    before that began, and so on; inside a step, among what nodes did in it. What none of them
    fills is the step's own time.
    """
    whole = Bar(node=None, step=None, title="between steps", start_s=0, end_s=run.seconds)
    steps = [bar for bar in run.steps if bar.depth == 0]
    return list(_path(whole, steps, run))[::-1]


def _path(around: Bar, inside: Sequence[Bar], run: Run) -> Iterator[Stretch]:
    """Go back from the end of a bar to its start."""
    now_s, lane = around.end_s, around.node
    bars = [bar for bar in inside if bar.seconds > _GRAIN_S]
    while last := _last_ended(bars, now_s, lane):
        if now_s - last.end_s > _GRAIN_S:
            yield _stretch(around, last.end_s, now_s)
        yield from _path(last, _inside(last, run), run) if last.node is None else [_stretch(last)]
        now_s, lane = last.start_s, last.node
        bars = [bar for bar in bars if bar.end_s <= now_s + _GRAIN_S]
    if now_s - around.start_s > _GRAIN_S:
        yield _stretch(around, around.start_s, now_s)


def _last_ended(bars: Sequence[Bar], now_s: float, lane: str | None) -> Bar | None:
    """Choose the bar that ended last; of several, one of the lane, or the one that began last."""

    def order(bar: Bar) -> tuple[float, bool, float]:
        return round(bar.end_s, 1), bar.node == lane, bar.start_s

    return max((bar for bar in bars if bar.end_s <= now_s + _GRAIN_S), key=order, default=None)


def _inside(step: Bar, run: Run) -> Sequence[Bar]:
    """Return the steps in a step, and what nodes ended in it, from where it began."""
    nested = [bar for bar in run.steps if bar.depth == step.depth + 1 and step.holds(bar)]
    ended = (bar for bar in run.work if step.start_s < bar.end_s <= step.end_s)
    return nested + [replace(bar, start_s=max(bar.start_s, step.start_s)) for bar in ended]


def _stretch(bar: Bar, start_s: float | None = None, end_s: float | None = None) -> Stretch:
    return Stretch(
        node=bar.node,
        title=bar.title,
        start_s=bar.start_s if start_s is None else start_s,
        end_s=bar.end_s if end_s is None else end_s,
    )
