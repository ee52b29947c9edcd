"""Write the parts of a page."""

from collections.abc import Iterable, Sequence


def code(value: object) -> str:
    """Write a value as code."""
    return f"`{value}`"


def block(language: str, text: str) -> str:
    """Write a block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; a bar within a cell stays a bar."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(_row(line) for line in lines)


def _row(cells: Sequence[object]) -> str:
    escaped = [" ".join(str(cell).split()).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |\n"
