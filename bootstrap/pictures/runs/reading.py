"""Make a run of its events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bootstrap.model.events import Event, Status, Step
from bootstrap.pictures.runs.run import Bar, Outcome, Remark, Run, Wait
from bootstrap.waiting import REPORT_INTERVAL_S

#: A wait goes on for so long after its last report, unless its bar ends.
_AFTER_S = 2 * REPORT_INTERVAL_S
#: Reports that are further apart are of different waits; a check may take a minute.
_APART_S = 90


def run_of(events: Sequence[Event]) -> Run:
    """Return the run that these events tell of; there must be one at least.

    A bar whose end they do not tell ends with the last of them.
    """
    events = sorted(events, key=lambda event: event.elapsed_s)
    reader = _Reader()
    for event in events:
        reader.read(event)
    first, last = events[0], events[-1]
    is_whole = first.step is None and first.status is Status.STARTED
    return Run(
        id=first.run,
        command=first.detail if is_whole else "",
        began=first.time,
        seconds=last.elapsed_s,
        outcome=_outcome(last),
        failure=last.detail if last.status is Status.FAILED else "",
        steps=_in_order(reader.end(last.elapsed_s)),
        work=_in_order(bar for bar in reader.done if bar.node is not None),
        remarks=tuple(reader.remarks),
    )


def _outcome(last: Event) -> Outcome:
    ends = {Status.FINISHED: Outcome.FINISHED, Status.FAILED: Outcome.FAILED}
    return ends.get(last.status, Outcome.UNFINISHED) if last.step is None else Outcome.UNFINISHED


def _in_order(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    return tuple(sorted(bars, key=lambda bar: (bar.start_s, bar.depth)))


@dataclass
class _Open:
    """A bar that has not ended."""

    node: str | None
    step: Step | None
    title: str
    start_s: float
    depth: int
    waits: list[Wait] = field(default_factory=list)
    #: When the step in which a node began it had ended; it may go on in the next one.
    left_s: float | None = None

    def wait(self, seen_s: float, detail: str) -> None:
        """Take the report of a wait, which has gone on for an interval at least."""
        start_s = max(self.start_s, seen_s - REPORT_INTERVAL_S)
        if self.waits and seen_s - (self.waits[-1].end_s - _AFTER_S) <= _APART_S:
            start_s = self.waits.pop().start_s
        self.waits.append(Wait(start_s=start_s, end_s=seen_s + _AFTER_S, detail=detail))

    def closed(self, end_s: float, failure: str | None = None, *, is_open: bool = False) -> Bar:
        waits = (
            Wait(start_s=wait.start_s, end_s=min(wait.end_s, end_s), detail=wait.detail)
            for wait in self.waits
        )
        return Bar(
            node=self.node,
            step=self.step,
            title=self.title,
            start_s=self.start_s,
            end_s=end_s,
            depth=self.depth,
            waits=tuple(waits),
            failure=failure,
            is_open=is_open,
        )


class _Reader:
    """Opens and closes bars as the events say."""

    def __init__(self) -> None:
        self.done: list[Bar] = []
        self.remarks: list[Remark] = []
        self._steps: list[_Open] = []
        self._nodes: dict[str, _Open] = {}

    def read(self, event: Event) -> None:
        """Take the next event."""
        if event.status is Status.NOTE:
            remark = Remark(node=event.node, time_s=event.elapsed_s, text=event.detail)
            self.remarks.append(remark)
        elif event.node is not None:
            self._read_of_node(event, event.node)
        elif event.status is Status.WAITING and self._steps:
            self._steps[-1].wait(event.elapsed_s, event.detail)
        elif event.step is not None:
            self._read_of_step(event, event.step)

    def _read_of_node(self, event: Event, node: str) -> None:
        match event.status:
            case Status.RUNNING:
                self._leave_node(node, event.elapsed_s)
                self._nodes[node] = self._opened(event, node)
            case Status.WAITING:
                opened = self._nodes.setdefault(node, self._opened(event, node))
                opened.wait(event.elapsed_s, event.detail)
            case Status.DONE if node in self._nodes:
                self.done.append(self._nodes.pop(node).closed(event.elapsed_s))
            case _:
                pass

    def _read_of_step(self, event: Event, step: Step) -> None:
        match event.status:
            case Status.STARTED:
                self._steps.append(self._opened(event, None))
            case Status.FINISHED:
                self._end_step(step, event.elapsed_s)
            case Status.FAILED:
                self._end_step(step, event.elapsed_s, event.detail)
            case _:
                pass

    def _opened(self, event: Event, node: str | None) -> _Open:
        return _Open(
            node=node,
            step=event.step,
            title=event.detail,
            start_s=event.elapsed_s,
            depth=len(self._steps),
        )

    def _leave_node(self, node: str, end_s: float) -> None:
        """End what a node did whose end was not reported: with its step, or now."""
        if node in self._nodes:
            opened = self._nodes.pop(node)
            self.done.append(opened.closed(end_s if opened.left_s is None else opened.left_s))

    def _end_step(self, step: Step, end_s: float, failure: str | None = None) -> None:
        """End the step; no end without a start."""
        for opened in self._nodes.values():
            if opened.step is step and opened.left_s is None:
                opened.left_s = end_s
        for place in reversed(range(len(self._steps))):
            if self._steps[place].step is step:
                self.done.append(self._steps.pop(place).closed(end_s, failure))
                return

    def end(self, end_s: float) -> list[Bar]:
        """End all that is open, and return the steps."""
        for node in [node for node, opened in self._nodes.items() if opened.left_s is not None]:
            self._leave_node(node, end_s)
        left = [*self._steps, *self._nodes.values()]
        self.done += [opened.closed(end_s, is_open=True) for opened in left]
        return [bar for bar in self.done if bar.node is None]
