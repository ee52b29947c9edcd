"""What there is to tell of a run: its bars, its critical path, and how it differs from before."""

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.pictures.runs.comparison import StepChange, before, compare
from bootstrap.pictures.runs.critical import Stretch, critical_path
from bootstrap.pictures.runs.run import Outcome, Run
from bootstrap.pictures.text import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run, and the one that it is compared with."""

    run: Run
    #: None if no earlier run of the same command is kept.
    earlier: Run | None
    path: Sequence[Stretch]
    #: Each step and, as the last one, the whole run.
    changes: Sequence[StepChange]

    @property
    def title(self) -> str:
        """The command, how long it took and how it ended, in a line."""
        ends = {Outcome.UNFINISHED: "without an end in its log"}
        end = ends.get(self.run.outcome, self.run.outcome.value)
        return f"{self.run.command or 'run'}: {duration(self.run.seconds)}, {end}"

    @property
    def began(self) -> str:
        """When the run began, for a reader."""
        return f"{self.run.began:%Y-%m-%d %H:%M:%S} UTC"


def report_of(run: Run, runs: Sequence[Run]) -> Report:
    """Return what there is to tell of a run, compared with the one before it among ``runs``."""
    earlier = before(run, runs)
    return Report(run=run, earlier=earlier, path=critical_path(run), changes=compare(run, earlier))
