"""Hold data against the schema and say everything that is wrong, in the user's words."""

import copy
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bootstrap.config import fields
from bootstrap.config.problems import Path, Problem, shown
from bootstrap.config.schema import (
    ClusterFile,
    Hypervisor,
    Metadata,
    Networking,
    NodeGroup,
    Security,
)
from bootstrap.config.values import close_match

#: What pydantic puts behind a mapping's key if the key is wrong, not its value.
_KEY_MARK = "[key]"
_REQUIRED = {"apiVersion": fields.API_VERSION, "kind": fields.KIND}
_MAPPINGS: dict[Path, type[BaseModel]] = {
    (): ClusterFile,
    ("metadata",): Metadata,
    ("hypervisor",): Hypervisor,
    ("nodes",): NodeGroup,
    ("networking",): Networking,
    ("security",): Security,
}


def validate(data: object) -> tuple[ClusterFile | None, list[Problem]]:
    """Read data that may have problems.

    What is wrong is listed and then left out, so that the rest can still be judged; there
    is no file if nothing would be left.
    """
    try:
        return ClusterFile.model_validate(data), []
    except ValidationError as error:
        problems = [_problem(details) for details in error.errors(include_url=False)]
    try:
        return ClusterFile.model_validate(_without(data, problems)), problems
    except ValidationError:
        return None, problems


def _problem(details: ErrorDetails) -> Problem:
    path = details["loc"]
    match details["type"]:
        case "value_error" if path[-1:] == (_KEY_MARK,):
            return Problem(path=path[:-1], message=str(details["ctx"]["error"]), is_key=True)
        case "value_error":
            return Problem(path=path, message=str(details["ctx"]["error"]))
        case "missing":
            wanted = _REQUIRED[str(path[-1])]
            return Problem(path=path, message=f"is missing; write '{path[-1]}: {wanted}'")
        case "extra_forbidden":
            return Problem(path=path, message=_unknown_key(path), is_key=True)
        case kind:
            message = _wrong_shape(kind, details["input"])
            return Problem(path=path, message=message if path else f"the file {message}")


def _wrong_shape(kind: str, value: object) -> str:
    noun, advice = "a list", "begin each entry below it with '- '"
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        noun, advice = "a mapping", "write 'key: value' lines"
    if value is None:
        return f"is empty; remove the key, or {advice}"
    return f"is not {noun}; {advice}"


def _unknown_key(path: Path) -> str:
    key = str(path[-1])
    known = _keys(_mapping_of(path))
    if meant := close_match(key, known):
        return f"'{shown(key)}' is not a key here; did you mean '{meant}'?"
    for place, model in _MAPPINGS.items():
        if key in _keys(model):
            where = f"in '{place[0]}'" if place else "at the top of the file"
            return f"'{shown(key)}' is not a key here; it belongs {where}"
    return f"'{shown(key)}' is not a key here; use {', '.join(known)}"


def _mapping_of(path: Path) -> type[BaseModel]:
    return _MAPPINGS[tuple(step for step in path[:-1] if isinstance(step, str))]


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _without(data: object, problems: Sequence[Problem]) -> Any:  # noqa: ANN401
    rest: Any = copy.deepcopy(data)
    if not isinstance(rest, dict):
        return rest
    for problem in problems:
        _leave_out(rest, problem.path)
    return rest | _REQUIRED


def _leave_out(data: Any, path: Path) -> None:  # noqa: ANN401
    for step in path[:-1]:
        data = data[step]
    if isinstance(data, dict):
        data.pop(path[-1], None)
    else:
        data[path[-1]] = {}  # the other entries of the list keep their numbers
