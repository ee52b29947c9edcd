"""The course of a run so far: what is done, and how long the rest will take."""

from collections.abc import Callable, Sequence
from statistics import median

from bootstrap.adapters.events.durations import Durations, PastRun
from bootstrap.adapters.events.seconds import StepSeconds
from bootstrap.model.events import Event, Status

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
    """Estimates the rest of pieces of work, done at the same time, from how fast they go."""

    def __init__(self) -> None:
        #: The first and the last report of each piece.
        self._seen: dict[str, tuple[Event, Event]] = {}

    def read(self, event: Event) -> None:
        if event.status is Status.PROGRESS:
            first, _ = self._seen.get(event.detail, (event, event))
            self._seen[event.detail] = (first, event)
        elif event.status in (Status.FINISHED, Status.FAILED):
            self._seen.clear()

    def seconds_left(self, now_s: float) -> float | None:
        ends = [_end_of_piece(*reports) for reports in self._seen.values()]
        return max((max(0.0, end - now_s) for end in ends if end is not None), default=None)


def _end_of_piece(first: Event, last: Event) -> float | None:
    """Estimate when a piece ends; None if its reports do not tell."""
    if first.progress is None or last.progress is None or last.progress.total is None:
        return None
    at_first, took_s = first.progress.done, last.elapsed_s - first.elapsed_s
    done = last.progress.done - at_first
    if done <= 0 or took_s <= 0:
        return None
    return first.elapsed_s + (last.progress.total - at_first) * took_s / done
