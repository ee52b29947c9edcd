"""The colours of all pictures: for a light ground and for a dark one."""

from collections.abc import Mapping
from typing import NamedTuple


class Colours(NamedTuple):
    """One colour on each ground, as CSS writes it."""

    light: str
    dark: str


#: What is written on, and what is written.
GROUND, TEXT, QUIET = (
    Colours("#ffffff", "#0d1117"),
    Colours("#1b1f24", "#e6edf3"),
    Colours("#4b5563", "#a5afba"),
)
GRID, PANEL = Colours("#d8dee4", "#30363d"), Colours("#f3f5f8", "#161b22")
#: The critical path.
CRITICAL = Colours("#b3460b", "#f0a020")


class Paint(NamedTuple):
    """What an area is filled with, and its border; texts on it have the colour of all texts."""

    fill: Colours
    border: Colours


#: By the class of a shape.
PAINTS = {
    "step": Paint(Colours("#d6e6fb", "#173a63"), Colours("#1f5fae", "#6cb0ff")),
    "work": Paint(Colours("#d9f0df", "#12432a"), Colours("#1b7a3a", "#4cc46a")),
    "bad": Paint(Colours("#fde1df", "#5a1a1c"), Colours("#b42318", "#ff8079")),
    "rest": Paint(Colours("#eceff3", "#2b323b"), Colours("#5b6673", "#9aa5b1")),
    "planned": Paint(GROUND, Colours("#1f5fae", "#6cb0ff")),
    "slower": Paint(Colours("#fff3d0", "#4a3a0c"), Colours("#8a6100", "#e0b341")),
}


def styles() -> Mapping[str, object]:
    """Return the values of the template of all styles."""
    return {
        "colours": {
            "ground": GROUND,
            "text": TEXT,
            "quiet": QUIET,
            "grid": GRID,
            "panel": PANEL,
            "critical": CRITICAL,
        },
        "paints": PAINTS,
    }
