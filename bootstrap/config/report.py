"""Tell the user everything that is wrong, at once, each thing with its place."""

from collections.abc import Sequence
from pathlib import Path

from bootstrap.config.flags import Overlay
from bootstrap.config.problems import Place, Problem, path_text, printable
from bootstrap.config.strict_yaml import Document
from bootstrap.errors import ConfigError

#: More are rarely read, and a file of junk would fill the screen.
_SHOWN_PROBLEMS = 20
_NOWHERE = Place(0, 0)


def report(
    path: Path | None, document: Document, problems: Sequence[Problem], overlay: Overlay
) -> ConfigError:
    """Make the one error that carries all problems, those of flags first, then by line."""
    name = printable(str(path)) if path else ""
    from_flags = [f"{flag}: {message}" for flag, message in overlay.problems]
    from_file: list[tuple[Place, str]] = []
    for problem in problems:
        if flag := overlay.flags.get(problem.path):
            from_flags.append(f"{flag}: {problem.message}")
        else:
            place = document.place(problem) or _NOWHERE
            from_file.append((place, _line(name, place, problem)))
    # One flag may be wrong for several nodes in the same way.
    lines = [*dict.fromkeys(from_flags), *(line for _, line in sorted(from_file))]
    return ConfigError(
        f"{_subject(name, from_flags, from_file)} {_counted(len(lines))}.",
        details="\n".join(_cut([_sentence(line) for line in lines])),
        hint="bootstrap schema" if from_file else "bootstrap up --help",
    )


def _line(name: str, place: Place, problem: Problem) -> str:
    where = path_text(problem.path)
    parts = [f"{name}:{place.line}:{place.column}" if place is not _NOWHERE else "", where]
    return ": ".join([*filter(None, parts), problem.message])


def _subject(name: str, from_flags: Sequence[str], from_file: Sequence[object]) -> str:
    if not from_file or not name:
        return "The command line has"
    if from_flags:
        return f"The cluster file '{name}' and the command line have"
    return f"The cluster file '{name}' has"


def _counted(number: int) -> str:
    return "1 problem" if number == 1 else f"{number} problems"


def _sentence(line: str) -> str:
    return line if line.endswith("?") else f"{line}."


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= _SHOWN_PROBLEMS:
        return lines
    return [*lines[:_SHOWN_PROBLEMS], f"and {len(lines) - _SHOWN_PROBLEMS} more."]
