"""The critical path is the chain of what ended last."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from bootstrap.model.events import Status, Step
from bootstrap.pictures.runs.critical import critical_path
from bootstrap.pictures.runs.run import Bar, Run
from tests.unit.pictures.conftest import a_run, a_step, a_whole_run


def told(run: Run) -> list[tuple[str | None, str, float, float]]:
    return [(one.node, one.title, one.start_s, one.end_s) for one in critical_path(run)]


def test_the_slower_node_of_a_step_is_on_it_and_not_the_faster() -> None:
    run = a_whole_run(
        (0, Step.JOIN, Status.STARTED, None, "Joining"),
        (1, Step.JOIN, Status.RUNNING, "fast", "boots"),
        (2, Step.JOIN, Status.RUNNING, "slow", "boots"),
        (20, Step.JOIN, Status.RUNNING, "fast", "joins"),
        (50, Step.JOIN, Status.RUNNING, "slow", "joins"),
        (100, Step.JOIN, Status.FINISHED, None, "Joining"),
    )
    assert told(run) == [
        (None, "Joining", 0, 2),
        ("slow", "boots", 2, 50),
        ("slow", "joins", 50, 100),
    ]


def test_a_node_that_waits_for_another_hands_the_path_over() -> None:
    """What the second node did could begin only when the first one was done."""
    run = a_whole_run(
        (0, Step.BOOT, Status.STARTED, None, "Booting"),
        (0, Step.BOOT, Status.RUNNING, "first", "boots"),
        (60, Step.BOOT, Status.FINISHED, None, "Booting"),
        (60, Step.JOIN, Status.STARTED, None, "Joining"),
        (60, Step.JOIN, Status.RUNNING, "second", "boots"),
        (100, Step.JOIN, Status.FINISHED, None, "Joining"),
    )
    assert told(run) == [("first", "boots", 0, 60), ("second", "boots", 60, 100)]


def test_time_that_no_node_and_no_step_fills_is_the_clusters() -> None:
    run = a_whole_run(*a_step(Step.BOOT, 10, 30), *a_step(Step.VERIFY, 50, 90))
    assert told(run) == [
        (None, "between steps", 0, 10),
        (None, "doing boot", 10, 30),
        (None, "between steps", 30, 50),
        (None, "doing verify", 50, 90),
        (None, "between steps", 90, 100),
    ]


def test_a_node_that_is_slower_than_its_step_counts_from_the_next_one_on() -> None:
    """The first step ended with the other node, whatever this one did meanwhile."""
    run = a_whole_run(
        (0, Step.BOOT, Status.STARTED, None, "Booting"),
        (0, Step.BOOT, Status.RUNNING, "plane", "boots"),
        (0, Step.BOOT, Status.RUNNING, "worker", "boots"),
        (30, Step.BOOT, Status.DONE, "plane", "booted"),
        (30, Step.BOOT, Status.FINISHED, None, "Booting"),
        (30, Step.JOIN, Status.STARTED, None, "Joining"),
        (80, Step.JOIN, Status.DONE, "worker", "booted"),
        (100, Step.JOIN, Status.FINISHED, None, "Joining"),
    )
    assert told(run) == [
        ("plane", "boots", 0, 30),
        ("worker", "boots", 30, 80),
        (None, "Joining", 80, 100),
    ]


def test_what_ended_last_is_on_it_though_another_began_later() -> None:
    run = a_whole_run(*a_step(Step.JOIN, 0, 100))
    times = {"long": (0, 100), "short": (50, 80)}
    work = tuple(
        Bar(node=node, step=Step.JOIN, title="joins", start_s=start_s, end_s=end_s, depth=1)
        for node, (start_s, end_s) in times.items()
    )
    assert told(replace(run, work=work)) == [("long", "joins", 0, 100)]


def test_a_step_in_a_step_is_on_it() -> None:
    run = a_whole_run(
        (0, Step.CREATE_MACHINES, Status.STARTED, None, "Creating"),
        *a_step(Step.REMOVE, 20, 80),
        (100, Step.CREATE_MACHINES, Status.FINISHED, None, "Creating"),
    )
    assert told(run) == [
        (None, "Creating", 0, 20),
        (None, "doing remove", 20, 80),
        (None, "Creating", 80, 100),
    ]


@pytest.mark.parametrize("number", range(3))
def test_it_covers_the_run_from_start_to_end(kept: Sequence[Run], number: int) -> None:
    path = critical_path(kept[number])
    assert path[0].start_s == 0
    assert path[-1].end_s == pytest.approx(kept[number].seconds, abs=0.1)
    assert all(abs(one.end_s - other.start_s) <= 0.1 for one, other in pairwise(path))


def test_a_run_of_no_time_has_none() -> None:
    assert told(a_run((0, None, Status.NOTE, None, "x"))) == []
