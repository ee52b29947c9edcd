"""Runs that were kept, and runs of a few events."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bootstrap.adapters.events.history import event_of
from bootstrap.model.events import Event, Status, Step
from bootstrap.pictures.runs.reading import run_of
from bootstrap.pictures.runs.run import Run

#: The first is of a real run, without some of its commands; the others follow from it.
KEPT = sorted((Path(__file__).parents[2] / "data" / "runs").glob("*.ndjson"))
BEGAN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
#: Seconds, step, status, node and detail.
Told = tuple[float, Step | None, Status, str | None, str]
MakeRun = Callable[..., Run]


def an_event(told: Told, run: str = "a", began: datetime = BEGAN) -> Event:
    elapsed_s, step, status, node, detail = told
    return Event(
        run=run,
        time=began,
        elapsed_s=elapsed_s,
        step=step,
        status=status,
        node=node,
        detail=detail,
        error="step-failed" if status is Status.FAILED else None,
    )


def a_run(*told: Told, run: str = "a", began: datetime = BEGAN) -> Run:
    return run_of([an_event(one, run, began) for one in told])


def a_whole_run(*told: Told, run: str = "a", end_s: float = 100) -> Run:
    """Return a run that began and finished, with what is told between."""
    began: Told = (0, None, Status.STARTED, None, "bootstrap up")
    return a_run(began, *told, (end_s, None, Status.FINISHED, None, "bootstrap up"), run=run)


def a_step(step: Step, start_s: float, end_s: float) -> tuple[Told, Told]:
    start: Told = (start_s, step, Status.STARTED, None, f"doing {step}")
    return start, (end_s, step, Status.FINISHED, None, f"doing {step}")


@pytest.fixture(scope="session")
def kept() -> Sequence[Run]:
    """The runs of tests/data/runs: one, one that differs, and one that failed."""
    lines = (path.read_bytes().splitlines() for path in KEPT)
    return [run_of([event for line in one if (event := event_of(line))]) for one in lines]
