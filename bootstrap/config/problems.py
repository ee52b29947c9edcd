"""Problems of a cluster file, one line each, safe to print."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

#: Keys and list indexes from the top of the file to a value.
Path = tuple[str | int, ...]

_SHOWN_CHARACTERS = 60
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in the file, counted from 1 as editors do."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to correct; ``message`` says what is allowed instead."""

    path: Path
    message: str
    #: The key itself is wrong, not its value.
    is_key: bool = False
    #: Set where the path is not enough to find it, as in broken syntax.
    place: Place | None = None
    #: Other values that the problem depends on.
    based_on: tuple[Path, ...] = ()

    @property
    def invalid(self) -> Path:
        """The part of the file that has no known value; for a misspelt key, its mapping."""
        return self.path[:-1] if self.is_key and len(self.path) > 1 else self.path

    def depends_on(self, invalid: AbstractSet[Path]) -> bool:
        """Report whether the problem follows from a value that is itself invalid."""
        return any(
            path[:length] in invalid
            for path in (self.path, *self.based_on)
            for length in range(1, len(path) + 1)
        )


def shown(text: str) -> str:
    """Make the file's text fit for a message: printable and short."""
    return printable(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...")


def printable(text: str) -> str:
    """Escape control characters, which a terminal would execute."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def path_text(path: Path) -> str:
    """Write a path as in ``nodes[1].labels['example.com/disk']``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{shown(step)}" if text else shown(step)
        else:
            text += f"['{shown(step)}']"
    return text
