"""What the picture of a cluster is drawn of, in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and a value, one below the other."""

    x: float
    y: float
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name and a value on a card."""

    y: float
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A port of the host."""

    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A node, with the ports that lead to it above it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    mood: str
    name: str
    role: str
    state: str
    hover: str
    rows: Sequence[Row]
    chips: Sequence[Chip]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """All of it."""

    width: float
    height: float
    #: Where the host's own part ends and the nodes begin.
    facts_end: float
    facts: Sequence[Fact]
    cards: Sequence[Card]
    #: The corners of each cable, as SVG writes the points of a line.
    cables: Sequence[str]
    switch_y: float
    switch_height: float
    switch_kind: str
    switch_mood: str
    switch: str
    chip: float
    labels: float
