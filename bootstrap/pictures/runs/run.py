"""A run as bars on lanes, without sizes or colours: what its pictures and tables are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bootstrap.model.events import Step


class Outcome(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    FAILED = "failed"
    #: Its log has no end: it runs still, or was killed.
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A part of a bar in which something was awaited."""

    start_s: float
    end_s: float
    #: What was seen last.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What took time: a step of the run, or what a node did in one."""

    #: The node; None for a step.
    node: str | None
    step: Step | None
    title: str
    start_s: float
    end_s: float
    #: How many steps are around it.
    depth: int = 0
    waits: tuple[Wait, ...] = ()
    #: Why it failed; None if it did not.
    failure: str | None = None
    #: The log does not tell its end.
    is_open: bool = False

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end_s - self.start_s

    def holds(self, other: "Bar") -> bool:
        """Tell whether the other bar's time is inside this one's."""
        return self.start_s <= other.start_s and other.end_s <= self.end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A note in the log."""

    node: str | None
    time_s: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A whole run on one cluster."""

    id: str
    #: What was typed, such as ``bootstrap up``; empty if the log does not tell.
    command: str
    began: datetime
    seconds: float
    outcome: Outcome
    #: Why it failed; empty if it did not.
    failure: str
    #: In the order in which they began.
    steps: tuple[Bar, ...]
    #: What the nodes did, in the order in which it began.
    work: tuple[Bar, ...]
    remarks: tuple[Remark, ...]

    @property
    def nodes(self) -> Sequence[str]:
        """The nodes, in the order in which they are first named."""
        return list(dict.fromkeys(bar.node for bar in self.work if bar.node is not None))

    def work_of(self, node: str) -> Sequence[Bar]:
        """Return what a node did."""
        return [bar for bar in self.work if bar.node == node]
