"""Compare a run with one before it, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bootstrap.model.events import Step
from bootstrap.pictures.runs.run import Outcome, Run

#: A difference counts if it is more than both: seconds, and a part of the time before.
_LEAST_S, _LEAST_PART = 0.5, 0.05


class Change(StrEnum):
    """How the time of a step differs from before."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "same"
    #: It was no part of the run before.
    NEW = "new"
    #: It is no part of this run.
    GONE = "gone"
    #: It ended too early for its time to say anything.
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    """A step, or the whole run, now and before."""

    name: str
    #: None if the run does not have the step.
    now_s: float | None
    before_s: float | None
    #: Whether it failed, or its end is not known.
    is_broken: bool

    @property
    def difference_s(self) -> float:
        """How much longer it took."""
        return (self.now_s or 0) - (self.before_s or 0)

    @property
    def change(self) -> Change:
        """The difference in a word; what is within the noise of a host is the same."""
        if self.is_broken:
            return Change.UNFINISHED
        if self.before_s is None:
            return Change.NEW
        if self.now_s is None:
            return Change.GONE
        if abs(self.difference_s) <= max(_LEAST_S, _LEAST_PART * self.before_s):
            return Change.SAME
        return Change.SLOWER if self.difference_s > 0 else Change.FASTER


def before(run: Run, runs: Sequence[Run]) -> Run | None:
    """Return the last run of the same command that finished before this one; None if none did."""
    finished = (one for one in runs if one.outcome is Outcome.FINISHED and one.began < run.began)
    earlier = [one for one in finished if one.command == run.command]
    return max(earlier, key=lambda one: one.began, default=None)


def compare(run: Run, earlier: Run | None) -> Sequence[StepChange]:
    """Return each step of both runs in this run's order, and the whole run as the last one.

    Without an earlier run, nothing is known of before.
    """
    now, then = seconds_by_step(run), seconds_by_step(earlier) if earlier else {}
    broken = {bar.step for bar in run.steps if bar.failure is not None or bar.is_open}
    steps = [
        StepChange(
            name=step.value,
            now_s=now.get(step),
            before_s=then.get(step),
            is_broken=step in broken,
        )
        for step in dict.fromkeys([*now, *then])
    ]
    whole = StepChange(
        name="whole run",
        now_s=run.seconds,
        before_s=earlier.seconds if earlier else None,
        is_broken=run.outcome is not Outcome.FINISHED,
    )
    return [*steps, whole]


def seconds_by_step(run: Run) -> Mapping[Step, float]:
    """Return how long each step took, all its bars together."""
    seconds: dict[Step, float] = {}
    for bar in run.steps:
        if bar.step is not None:
            seconds[bar.step] = seconds.get(bar.step, 0) + bar.seconds
    return seconds
