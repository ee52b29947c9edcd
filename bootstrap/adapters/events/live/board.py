"""What a live view shows of a run at a moment: steps, nodes, waits and the numbers."""

from dataclasses import dataclass, field

from bootstrap.adapters.events.course import Course
from bootstrap.model.events import INTERRUPTED, Event, Progress, Status, Step

#: A piece of work that reports nothing for so long beside others has ended short of its total.
_FRESH_S = 20.0


@dataclass(kw_only=True)
class NodeRow:
    """A node as it is now."""

    name: str
    phase: Step | None
    detail: str
    is_done: bool
    #: When the work of the phase began and, once it is done, ended.
    began_s: float
    ended_s: float | None = None

    def seconds(self, now_s: float) -> float:
        """Return how long the work of the phase has taken."""
        return (now_s if self.ended_s is None else self.ended_s) - self.began_s


@dataclass(kw_only=True)
class StepRow:
    """A step that has not ended."""

    step: Step
    title: str
    began_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """How much of a piece of work is done."""

    progress: Progress
    seen_s: float

    def goes_on(self, now_s: float) -> bool:
        """Tell whether more of it is to come."""
        is_done = self.progress.done == self.progress.total
        return not is_done and now_s - self.seen_s < _FRESH_S


@dataclass
class Board:
    """Takes the events of a run; all else are properties of the moment."""

    course: Course
    nodes: dict[str, NodeRow] = field(default_factory=dict)
    steps: list[StepRow] = field(default_factory=list)
    #: What a wait that concerns no single node saw last.
    waiting: str = ""
    #: The pieces of work that are counted now, by what they are.
    pieces: dict[str, Piece] = field(default_factory=dict)
    #: How the run ended: ``failed`` by itself, ``interrupted`` by a signal.
    has_failed: bool = False
    is_interrupted: bool = False
    _shown: float = 0.0

    def read(self, event: Event) -> None:
        """Take one event."""
        match event.status:
            case Status.STARTED if event.step is not None:
                row = StepRow(step=event.step, title=event.detail, began_s=event.elapsed_s)
                self.steps.append(row)
                self._forget()
            case Status.FINISHED | Status.FAILED:
                self._end(event)
            case Status.RUNNING | Status.DONE if event.node is not None:
                self._take_node(event.node, event)
            case Status.WAITING if event.node in self.nodes:
                self.nodes[event.node].detail = event.detail
            case Status.WAITING:
                self.waiting = event.detail
            case Status.PROGRESS if event.progress is not None:
                self._count(event.detail, event.progress, event.elapsed_s)
            case _:
                pass

    def share(self, now_s: float) -> float | None:
        """Return how much of the run is done, from 0 to 1; it never falls. None if unknown."""
        left = self.course.seconds_left(now_s)
        if left is None or now_s + left <= 0:
            return None
        self._shown = max(self._shown, now_s / (now_s + left))
        return self._shown

    def _end(self, event: Event) -> None:
        self._forget()
        if event.step is not None:
            self.steps = [row for row in self.steps if row.step is not event.step]
        elif event.status is Status.FAILED:
            self.has_failed, self.is_interrupted = True, event.error == INTERRUPTED

    def _forget(self) -> None:
        self.waiting, self.pieces = "", {}

    def _count(self, detail: str, progress: Progress, now_s: float) -> None:
        others = {name: one for name, one in self.pieces.items() if one.goes_on(now_s)}
        self.pieces = others | {detail: Piece(progress=progress, seen_s=now_s)}

    def _take_node(self, name: str, event: Event) -> None:
        is_done, known = event.status is Status.DONE, self.nodes.get(name)
        goes_on = known and known.phase is event.phase and not known.is_done
        began_s = known.began_s if known and goes_on else event.elapsed_s
        self.nodes[name] = NodeRow(
            name=name,
            phase=event.phase,
            detail=event.detail,
            is_done=is_done,
            began_s=began_s,
            ended_s=event.elapsed_s if is_done else None,
        )
