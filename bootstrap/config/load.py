"""Load a cluster file, with the options over it, into a ``ClusterSpec``."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from bootstrap.config.checks import check
from bootstrap.config.flags import Flags
from bootstrap.config.overlay import Overlay, overlaid
from bootstrap.config.problems import Place, Problem, path_text, printable
from bootstrap.config.reading import read_content
from bootstrap.config.schema import API_VERSION, KIND, ClusterFile, Section
from bootstrap.config.strict_yaml import Document, parse
from bootstrap.config.validation import validate
from bootstrap.errors import ConfigError
from bootstrap.model.spec import ClusterSpec

#: More are rarely read, and a broken file would fill the screen.
_SHOWN_PROBLEMS = 20
_NOWHERE = Place(0, 0)


def load_spec(path: Path | None, flags: Flags) -> ClusterSpec:
    """Return what the user asks for: options over file over defaults.

    Without a file it is one control plane and one worker.

    :raises ConfigError: with everything that is wrong, if anything is (exit code 2).
    """
    document = parse(read_content(path)) if path else _no_file()
    overlay = overlaid(document.data, flags)
    problems = list(document.problems)
    file = None
    if document.is_whole:
        refused = {(problem.path, problem.is_key) for problem in problems}
        file, further = validate(overlay.data)
        problems += [
            problem for problem in further if (problem.path, problem.is_key) not in refused
        ]
    if file:
        invalid = {problem.invalid for problem in problems}
        problems += [problem for problem in check(file) if not problem.depends_on(invalid)]
    if file is None or problems or overlay.problems:
        raise _error(printable(str(path)) if path else "", document, problems, overlay)
    return _spec(file)


def _no_file() -> Document:
    return Document(data={"apiVersion": API_VERSION, "kind": KIND})


def _spec(file: ClusterFile) -> ClusterSpec:
    spec: ClusterSpec = _part(
        file,
        **dict(file.metadata),
        **dict(file.hypervisor),
        node_groups=tuple(_part(group) for group in file.node_groups if group.count),
        networking=_part(file.networking),
        security=_part(file.security),
    )
    return spec


def _part(section: Section, **given: object) -> Any:  # noqa: ANN401 - the section's ``spec``
    """Make a part of the spec from the fields of the same names."""
    values = {**dict(section), **given}
    return section.spec(**{field.name: values[field.name] for field in fields(section.spec)})


def _error(
    name: str, document: Document, problems: Sequence[Problem], overlay: Overlay
) -> ConfigError:
    """Make the one error that has all problems, those of options first, then by line."""
    from_flags = [f"{flag}: {message}" for flag, message in overlay.problems]
    from_file: list[tuple[Place, str]] = []
    for problem in problems:
        if flag := overlay.flags.get(problem.path):
            from_flags.append(f"{flag}: {problem.message}")
        else:
            place = document.place(problem) or _NOWHERE
            from_file.append((place, _line(name, place, problem)))
    # One option may be wrong for several nodes in the same way.
    lines = [*dict.fromkeys(from_flags), *(line for _, line in sorted(from_file))]
    shown = [line if line.endswith("?") else f"{line}." for line in lines[:_SHOWN_PROBLEMS]]
    if further := len(lines) - len(shown):
        shown.append(f"and {further} more.")
    subject = f"The cluster file '{name}' has" if from_file and name else "The command line has"
    if from_file and name and from_flags:
        subject = f"The cluster file '{name}' and the command line have"
    return ConfigError(
        f"{subject} {len(lines)} problem{'' if len(lines) == 1 else 's'}.",
        details="\n".join(shown),
        hint="bootstrap schema" if from_file else "bootstrap up --help",
    )


def _line(name: str, place: Place, problem: Problem) -> str:
    parts = [f"{name}:{place.line}:{place.column}" if place is not _NOWHERE else ""]
    return ": ".join([*filter(None, [*parts, path_text(problem.path)]), problem.message])
