"""The course of a run so far: what is done, and how long the rest will take."""

from collections.abc import Callable, Sequence
from statistics import median

from bootstrap.adapters.events.durations import Durations, PastRun
from bootstrap.adapters.events.seconds import StepSeconds
from bootstrap.model.events import Event, Progress, Status, Step, Unit

#: So many of the newest runs decide.
_COUNTED = 5


class Course:
    """Follows a run; at its good end it is kept as one that others learn from."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations
        self._past: Sequence[PastRun] | None = None
        self._command = ""
        self._found: dict[str, str] = {}
        self._nodes: set[str] = set()
        self._seconds = StepSeconds()
        self._pieces = _Pieces()

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        self._seconds.read(event)
        self._pieces.read(event)
        if event.node is not None:
            self._nodes.add(event.node)
            if event.status is Status.DONE and event.phase is None:
                self._found[event.node] = event.detail
        if event.step is None and event.node is None:
            self._take_end(event)

    def _take_end(self, event: Event) -> None:
        match event.status:
            case Status.STARTED:
                self._command = event.detail
            case Status.FINISHED if seconds := self._seconds.by_step():
                found = tuple(sorted(self._found.values()))
                self._durations.add(
                    PastRun(
                        command=self._command,
                        found=found,
                        nodes=len(self._nodes),
                        seconds=seconds,
                    )
                )
            case _:
                pass

    def learn(self) -> None:
        """Read the earlier runs, once; otherwise they are read when they are first needed."""
        if self._past is None:
            self._past = self._durations.runs()

    def seconds_left(self, now_s: float) -> float | None:
        """Estimate how long the run will take from ``now_s`` on; None if nothing is known.

        ``now_s`` is counted from the run's start, as the times of events are.
        """
        usual, spent = self._usual(), self._seconds.running(now_s)
        here = self._pieces.seconds_left(now_s)
        if not usual and here is None:
            return None
        ended = self._seconds.by_step()
        rest = {step: took for step, took in usual.items() if step not in {*ended, *spent}}
        current = max((usual.get(step, 0) - took for step, took in spent.items()), default=0)
        return sum(rest.values()) + max(current, here or 0, 0)

    def is_late(self, now_s: float) -> bool:
        """Tell whether a step takes longer than it usually does."""
        usual = self._usual()
        return any(
            step in usual and took > usual[step] * 1.5 + 5
            for step, took in self._seconds.running(now_s).items()
        )

    def _usual(self) -> dict[str, float]:
        """Return the usual seconds of each step, in order, from the runs most like this one."""
        self.learn()
        found = tuple(sorted(self._found.values()))
        like = [run for run in self._past or () if run.command == self._command]
        tests: Sequence[Callable[[PastRun], bool]] = (
            lambda run: run.found == found,
            lambda run: run.nodes == len(self._nodes),
        )
        for test in tests:
            like = [run for run in like if test(run)] or like
        like = like[-_COUNTED:]
        steps = dict.fromkeys(step for run in reversed(like) for step in run.seconds)
        return {step: median(run.seconds.get(step, 0) for run in like) for step in steps}


class _Pieces:
    """Estimates the rest of a piece of work from how fast it goes."""

    def __init__(self) -> None:
        self._began: tuple[Step | None, Unit, float, int] | None = None
        self._last: tuple[float, Progress] | None = None

    def read(self, event: Event) -> None:
        if event.status is Status.PROGRESS and event.progress is not None:
            # One piece may be named differently from part to part.
            key = (event.step, event.progress.unit)
            if self._began is None or self._began[:2] != key:
                self._began = (*key, event.elapsed_s, event.progress.done)
            self._last = (event.elapsed_s, event.progress)
        elif event.status in (Status.FINISHED, Status.FAILED):
            self._began = self._last = None

    def seconds_left(self, now_s: float) -> float | None:
        if self._began is None or self._last is None:
            return None
        (_, _, began_s, at_first), (seen_s, progress) = self._began, self._last
        done = progress.done - at_first
        if progress.total is None or done <= 0 or seen_s <= began_s:
            return None
        whole = (progress.total - at_first) * (seen_s - began_s) / done
        return max(0.0, began_s + whole - now_s)
