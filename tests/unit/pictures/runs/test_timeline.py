"""The timeline at any width: in its bounds, in its lanes, as long as it took."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from bootstrap.model.events import Status, Step
from bootstrap.pictures.runs.critical import critical_path
from bootstrap.pictures.runs.run import Run
from bootstrap.pictures.runs.shapes import Timeline
from bootstrap.pictures.runs.timeline import is_critical, lay_out
from bootstrap.pictures.text import width_of
from tests.unit.pictures.conftest import a_run, a_whole_run

each_width = pytest.mark.parametrize("width", [744, 1200, 1480])
each_run = pytest.mark.parametrize("number", range(3))


def laid_out(run: Run, width: float = 1200) -> Timeline:
    return lay_out(run, critical_path(run), width)


@each_width
@each_run
def test_everything_is_inside_and_every_label_inside_its_bar(
    kept: Sequence[Run], number: int, width: float
) -> None:
    it = laid_out(kept[number], width)
    for lane in it.lanes:
        assert width_of(lane.name) <= it.plot_x
        for box in lane.boxes:
            assert it.plot_x <= box.x <= box.x + box.width <= it.plot_x + it.plot_width + 0.2
            assert lane.y <= box.y <= box.y + it.bar <= lane.y + lane.height
            assert width_of(box.label) <= max(box.width, 0)
            assert all(box.x - 2 <= wait.x <= box.x + box.width for wait in box.waits)
    assert it.lanes[-1].y + it.lanes[-1].height <= it.height


@each_width
@each_run
def test_times_on_the_axis_do_not_touch(kept: Sequence[Run], number: int, width: float) -> None:
    ticks = laid_out(kept[number], width).ticks
    assert len(ticks) >= 4
    assert all(other.x - one.x > width_of(one.text) for one, other in pairwise(ticks))


def test_a_bar_is_as_long_as_it_took(kept: Sequence[Run]) -> None:
    run = kept[0]
    it = laid_out(run)
    for bar, box in zip(run.steps, it.lanes[0].boxes, strict=True):
        assert box.width == pytest.approx(
            max(it.plot_width * bar.seconds / run.seconds, 2), abs=0.2
        )


def test_each_node_has_a_lane_and_a_node_may_be_called_cluster() -> None:
    run = a_whole_run((1, None, Status.RUNNING, "cluster", "boots"))
    it = laid_out(run)
    assert [(lane.node, lane.name) for lane in it.lanes] == [
        (None, "cluster"),
        ("cluster", "cluster"),
    ]
    assert it.lanes[0].boxes == []


def test_a_step_in_a_step_has_a_row_of_its_own() -> None:
    run = a_whole_run(
        (0, Step.CREATE_MACHINES, Status.STARTED, None, "Creating"),
        (10, Step.REMOVE, Status.STARTED, None, "Removing"),
        (90, Step.REMOVE, Status.FAILED, None, "No disk."),
        (95, Step.CREATE_MACHINES, Status.FAILED, None, "No disk."),
    )
    outer, inner = laid_out(run).lanes[0].boxes
    assert inner.y >= outer.y + 22
    assert (inner.kind, inner.label[:16]) == ("bad", "failed: Removing")
    assert inner.hover.endswith("failed: No disk.")


def test_a_hover_text_tells_the_times_and_whether_it_is_critical(kept: Sequence[Run]) -> None:
    it = laid_out(kept[1])
    hovers = [box.hover for lane in it.lanes for box in lane.boxes]
    assert (
        "worker: Join the cluster: 23.6 s, from 4 min 21 s to 4 min 44 s\non the critical path"
        in hovers
    )
    assert "worker2: Join the cluster: 20.3 s, from 4 min 6 s to 4 min 26 s" in hovers


def test_what_is_critical_is_told_by_lane_and_time(kept: Sequence[Run]) -> None:
    run = kept[1]
    path = critical_path(run)
    critical = {(bar.node, bar.title) for bar in run.work if is_critical(bar, path)}
    assert ("worker", "booting") in critical
    assert ("worker2", "booting") not in critical


def test_the_line_of_the_path_goes_right_only(kept: Sequence[Run]) -> None:
    for run in kept:
        xs = [float(point.partition(",")[0]) for point in laid_out(run).critical.split()]
        assert xs == sorted(xs)
        assert len(xs) > 8


@pytest.mark.parametrize("elapsed_s", [0, 1e-9, 1e9])
def test_a_run_of_any_length_can_be_drawn(elapsed_s: float) -> None:
    run = a_run((elapsed_s, Step.BOOT, Status.STARTED, None, "x"))
    (box,) = laid_out(run).lanes[0].boxes
    assert box.width == 2
