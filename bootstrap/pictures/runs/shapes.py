"""What a timeline is drawn of, in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the width."""

    x: float
    width: float
    hover: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A bar in its place."""

    x: float
    y: float
    width: float
    kind: str
    #: As much of it as fits into the bar.
    label: str
    hover: str
    waits: Sequence[Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A row, or several, with a name before them."""

    #: None on the lane of all that concerns no single node.
    node: str | None
    #: As much of the name as fits.
    name: str
    hover: str
    y: float
    height: float
    boxes: Sequence[Box]
    remarks: Sequence[Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A time on the axis."""

    x: float
    text: str
    #: Which part of the text is at ``x``, as SVG says it.
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All of it."""

    width: float
    height: float
    bar: float
    axis: float
    plot_x: float
    plot_width: float
    ticks: Sequence[Tick]
    lanes: Sequence[Lane]
    #: The corners of the critical path, as SVG writes the points of a line.
    critical: str
