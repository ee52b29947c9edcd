"""Validate the file's data, and report every problem in the user's words."""

import copy
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bootstrap.config.problems import Path, Problem, shown
from bootstrap.config.schema import API_VERSION, KIND, SECTIONS, ClusterFile, Section
from bootstrap.config.values import refusal_of_number

#: What pydantic puts behind a mapping's key if the key is wrong, not its value.
_KEY_MARK = "[key]"
_REQUIRED = {"apiVersion": API_VERSION, "kind": KIND}
#: The default of memory and CPUs is unknown because the role is wrong, which is reported.
_FOLLOWS = "default_factory_not_called"


def validate(data: object) -> tuple[ClusterFile | None, list[Problem]]:
    """Validate data that may have problems.

    Invalid values are listed and left out, so that the rest can still be checked; there is no
    file if nothing would be left.
    """
    try:
        return ClusterFile.model_validate(data), []
    except ValidationError as error:
        problems = [
            _problem(details)
            for details in error.errors(include_url=False)
            if details["type"] != _FOLLOWS
        ]
    try:
        return ClusterFile.model_validate(_without(data, problems)), problems
    except ValidationError:
        return None, problems


def _problem(details: ErrorDetails) -> Problem:
    path = details["loc"]
    if path[-1:] == (_KEY_MARK,):
        return Problem(path=path[:-1], message=_message(details), is_key=True)
    return Problem(
        path=path, message=_message(details), is_key=details["type"] == "extra_forbidden"
    )


def _message(details: ErrorDetails) -> str:
    path, value, context = details["loc"], details["input"], details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "int_type":
            return refusal_of_number(value, _range(path))
        case "greater_than_equal" | "less_than_equal":
            return f"{value} is out of range; use {_range(path)}"
        case "missing":
            return f"is missing; write '{path[-1]}: {_REQUIRED[str(path[-1])]}'"
        case "extra_forbidden":
            return _unknown_key(path)
        case kind:
            message = _wrong_shape(kind, value)
            return message if path else f"the file {message}"


def _range(path: Path) -> str:
    fields = _section_of(path).model_fields.values()
    marks = next(field.metadata for field in fields if field.alias == path[-1])
    least = next(mark.ge for mark in marks if isinstance(mark, Ge))
    return f"{least} to {next(mark.le for mark in marks if isinstance(mark, Le))}"


def _wrong_shape(kind: str, value: object) -> str:
    noun, advice = "a mapping", "write 'key: value' lines"
    if kind == "tuple_type":
        noun, advice = "a list", "begin each entry below it with '- '"
    if value is None:
        return f"is empty; remove the key, or {advice}"
    return f"is not {noun}; {advice}"


def _unknown_key(path: Path) -> str:
    key, known = str(path[-1]), _keys(_section_of(path))
    # Long words are never meant, and comparing them takes quadratic time.
    for meant in get_close_matches(key[:64], known, n=1):
        return f"'{shown(key)}' is not a key here; did you mean '{meant}'?"
    for place, section in SECTIONS.items():
        if key in _keys(section):
            where = f"in '{place[0]}'" if place else "at the top of the file"
            return f"'{shown(key)}' is not a key here; it belongs {where}"
    return f"'{shown(key)}' is not a key here; use {', '.join(known)}"


def _section_of(path: Path) -> type[Section]:
    return SECTIONS[tuple(step for step in path[:-1] if isinstance(step, str))]


def _keys(section: type[Section]) -> list[str]:
    return [str(field.alias) for field in section.model_fields.values()]


def _without(data: object, problems: Sequence[Problem]) -> Any:  # noqa: ANN401
    rest: Any = copy.deepcopy(data)
    if not isinstance(rest, dict):
        return rest
    for problem in problems:
        parent: Any = rest
        for step in problem.path[:-1]:
            parent = parent[step]
        if isinstance(parent, dict):
            parent.pop(problem.path[-1], None)
        else:
            parent[problem.path[-1]] = {}  # the other entries of the list keep their numbers
    return rest | _REQUIRED
