"""What got slower and what faster."""

from collections.abc import Sequence

import pytest

from bootstrap.model.events import Status, Step
from bootstrap.pictures.runs.chart import lay_out, words
from bootstrap.pictures.runs.comparison import Change, StepChange, before, compare
from bootstrap.pictures.runs.run import Run
from tests.unit.pictures.conftest import a_run, a_step, a_whole_run


def a_change(now_s: float | None, before_s: float | None, *, is_broken: bool = False) -> StepChange:
    return StepChange(name="boot", now_s=now_s, before_s=before_s, is_broken=is_broken)


@pytest.mark.parametrize(
    ("now_s", "before_s", "change", "text"),
    [
        (20, 10, Change.SLOWER, "+10.0 s slower (+100 %)"),
        (90, 100, Change.FASTER, "\N{MINUS SIGN}10.0 s faster (\N{MINUS SIGN}10 %)"),
        (104, 100, Change.SAME, "about the same"),
        (0.5, 0.1, Change.SAME, "about the same"),
        (2, 0.1, Change.SLOWER, "+1.9 s slower"),
        (5, None, Change.NEW, "not before"),
        (None, 5, Change.GONE, "not now"),
    ],
)
def test_a_difference_in_words(
    now_s: float | None, before_s: float | None, change: Change, text: str
) -> None:
    step = a_change(now_s, before_s)
    assert (step.change, words(step)) == (change, text)


def test_what_failed_is_not_called_faster() -> None:
    assert words(a_change(1, 100, is_broken=True)) == "did not finish"


def test_steps_of_both_runs_are_compared_and_then_the_whole() -> None:
    earlier = a_whole_run(*a_step(Step.BOOT, 0, 30), *a_step(Step.LOAD, 30, 40), run="1")
    twice = (*a_step(Step.BOOT, 0, 30), *a_step(Step.JOIN, 30, 40), *a_step(Step.BOOT, 40, 60))
    changes = compare(a_whole_run(*twice, run="2", end_s=60), earlier)
    assert [(one.name, one.now_s, one.before_s) for one in changes] == [
        ("boot", 50, 30),
        ("join", 10, None),
        ("load-images", None, 10),
        ("whole run", 60, 100),
    ]


def test_a_failed_run_and_its_failed_step_did_not_finish(kept: Sequence[Run]) -> None:
    changes = {one.name: one.change for one in compare(kept[2], kept[1])}
    assert [name for name, one in changes.items() if one is Change.UNFINISHED] == [
        "join",
        "whole run",
    ]


def test_the_run_before_is_of_the_same_command_and_finished(kept: Sequence[Run]) -> None:
    assert before(kept[0], kept) is None
    assert before(kept[1], kept) is kept[0]
    assert before(kept[2], kept) is kept[1]
    other = a_run(
        (0, None, Status.STARTED, None, "bootstrap stop"),
        (1, None, Status.FINISHED, None, "bootstrap stop"),
        run="other",
    )
    assert before(other, [*kept, other]) is None
    after = a_whole_run(run="after")
    assert before(after, [*kept, other, after]) is kept[1]


@pytest.mark.parametrize("width", [744, 1480])
def test_bars_are_as_long_as_the_times_and_the_words_have_room(
    kept: Sequence[Run], width: float
) -> None:
    chart = lay_out(compare(kept[1], kept[0]), width)
    whole, join = chart.pairs[-1], chart.pairs[5]
    assert join.now / whole.now == pytest.approx(135.4 / kept[1].seconds, rel=0.01)
    assert all(pair.words_x + len(pair.words) * 7 <= width for pair in chart.pairs)
