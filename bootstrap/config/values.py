"""Read one plain value, or say what may stand there instead.

Every reader takes what the YAML reader gives and raises ``ValueError`` with a message that
is ready to be shown; pydantic carries it outwards.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from bootstrap.config.plain_scalars import Trap
from bootstrap.config.problems import shown


def text(value: object) -> str:
    """Take text only: a number or boolean that was meant as text is refused (P-13)."""
    match value:
        case str():
            return value
        case Trap():
            meant = f"write {shown(value.quoted)}"
            raise ValueError(f"{shown(value.raw)} was read as {value.read_as}; {meant}")
        case bool():
            word = str(value).lower()
            raise ValueError(f'{word} was read as the boolean {word}; write "{word}"')
        case int():
            raise ValueError(f'{value} was read as the number {value}; write "{value}"')
        case None:
            raise ValueError("is empty; give it a value or remove the key")
        case _:
            raise ValueError("is a list or a mapping; write one value")


def whole_number(minimum: int, maximum: int) -> Callable[[object], int]:
    """Make a reader of whole numbers in a range, both ends included."""
    allowed = f"{minimum} to {maximum}"

    def read(value: object) -> int:
        match value:
            case bool() | None | list() | dict():
                raise ValueError(f"is not a number; write a whole number, {allowed}")
            case int() if minimum <= value <= maximum:
                return value
            case int():
                raise ValueError(f"{value} is out of range; use {allowed}")
            case Trap():
                seen = f"{shown(value.raw)} was read as {value.read_as}"
                raise ValueError(f"{seen}; write a plain whole number, {allowed}")
            case _:
                seen = f"'{shown(str(value))}' is text"
                raise ValueError(f"{seen}; write a whole number without quotes, {allowed}")

    return read


def one_of(noun: str, allowed: Sequence[str]) -> Callable[[object], str]:
    """Make a reader of fixed words; ``noun`` says, with its article, what they are."""
    words = " or ".join(f"'{word}'" for word in allowed)

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{_refusal(value)} (allowed: {words})")  # noqa: TRY004 - pydantic
        if value not in allowed:
            raise ValueError(f"'{shown(value)}' is not {noun}; use {words}")
        return value

    return read


def close_match(word: str, words: Sequence[str]) -> str | None:
    """Find what was probably meant by a misspelt word."""
    # Long words are never meant, and comparing them takes quadratic time.
    return next(iter(get_close_matches(word[:64], words, n=1)), None)


def _refusal(value: object) -> str:
    try:
        return text(value)
    except ValueError as error:
        return str(error)
