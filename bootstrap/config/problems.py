"""What is wrong with a cluster file, one line each, safe to print."""

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
    #: Set where the path alone does not tell, as in broken syntax.
    place: Place | None = None
    #: Other values that it was concluded from; if one of them is wrong, it is moot.
    based_on: tuple[Path, ...] = ()

    @property
    def spoils(self) -> Path:
        """Name what can no longer be judged: a misspelt key leaves its mapping in doubt."""
        return self.path[:-1] if self.is_key and len(self.path) > 1 else self.path

    def is_moot(self, spoilt: AbstractSet[Path]) -> bool:
        """Tell whether it was concluded from something that is itself wrong."""
        return any(
            path[:length] in spoilt
            for path in (self.path, *self.based_on)
            for length in range(1, len(path) + 1)
        )


def shown(text: str) -> str:
    """Make foreign text fit for a message: printable and short."""
    return printable(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...")


def printable(text: str) -> str:
    """Escape everything that a terminal obeys instead of showing it."""
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
