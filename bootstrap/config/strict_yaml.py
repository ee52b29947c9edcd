"""Read the plain part of YAML, with the place of every key and value (SEC-10).

The reader works on the events of PyYAML's parser, which keeps no call stack. So nothing is
built before it is checked: no aliases, anchors, tags, merge keys or second document, and
limits on size, depth and count.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from bootstrap.config.plain_scalars import Trap, read_plain
from bootstrap.config.problems import Path, Place, Problem, shown
from bootstrap.config.reading import UnreadableError, decoded

_MAX_DEPTH = 20
#: 100 nodes with ten keys each are 2000; more would only keep the parser busy.
_MAX_VALUES = 4000
#: The key, in paths, of values whose own key was refused; they are read and dropped.
_NO_KEY = "?"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The file's data, the place of each part, and what was refused.

    If the file could not be read to its end, ``is_whole`` is false and ``data`` is None.
    """

    data: object
    is_whole: bool = True
    problems: tuple[Problem, ...] = ()
    values: Mapping[Path, Place] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)

    def place(self, problem: Problem) -> Place | None:
        """Find the place of a problem; that of the mapping or list if a key is missing."""
        if problem.place or (problem.is_key and problem.path in self.keys):
            return problem.place or self.keys[problem.path]
        above = (problem.path[:length] for length in range(len(problem.path), -1, -1))
        return next((self.values[path] for path in above if path in self.values), None)


def parse(content: bytes) -> Document:
    """Read one document; raises nothing for any bytes (H-04, H-05, G-09)."""
    problems: list[Problem] = []
    try:
        reader = _Reader(decoded(content), problems)
        data = reader.document()
    except UnreadableError as error:
        return Document(data=None, is_whole=False, problems=(*problems, error.problem))
    return Document(data=data, problems=tuple(problems), values=reader.values, keys=reader.keys)


class _Reader:
    def __init__(self, text: str, problems: list[Problem]) -> None:
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self._loader: Any = yaml.SafeLoader(text)  # Any: the stubs leave its methods untyped
        self._problems = problems
        self._count = 0

    def document(self) -> object:
        self._next()
        start = self._next()
        if not isinstance(start, yaml.DocumentStartEvent):
            raise UnreadableError("the file is empty", Place(1, 1))
        if start.version or start.tags:
            self._refuse((), start, "directives such as %YAML are not supported; remove them")
        data = self._value((), self._next())
        self._next()
        if isinstance(further := self._next(), yaml.DocumentStartEvent):
            raise UnreadableError("a second document begins here; keep only one", _place(further))
        return data

    def _next(self) -> yaml.Event:
        try:
            event: yaml.Event = self._loader.get_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark or self._loader.get_mark()
            raise UnreadableError(_explained(error), _counted_from_1(mark)) from error
        except (ValueError, OverflowError) as error:
            # PyYAML does not guard its chr() and int(): "\UFFFFFFFF", %YAML 1.99999...
            raise UnreadableError(
                "this is not YAML: a character or version number that cannot be",
                _counted_from_1(self._loader.get_mark()),
            ) from error
        return event

    def _value(self, path: Path, event: yaml.Event) -> object:
        self.values.setdefault(path, _place(event))
        self._count += 1
        if self._count > _MAX_VALUES:
            message = f"the file holds more than {_MAX_VALUES} values"
            raise UnreadableError(message, _place(event))
        if len(path) >= _MAX_DEPTH:
            message = f"values are nested more than {_MAX_DEPTH} deep"
            raise UnreadableError(message, _place(event))
        self._check_properties(path, event)
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case yaml.ScalarEvent(style=None, tag=None):
                return read_plain(self._text(path, event))
            case yaml.ScalarEvent():
                return self._text(path, event)
            case _:
                return None  # an alias, which has been refused

    def _mapping(self, path: Path) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(path, event)
            value = self._value((*path, _NO_KEY if key is None else key), self._next())
            if key is not None:
                mapping[key] = value
        return mapping

    def _sequence(self, path: Path) -> list[object]:
        sequence: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            sequence.append(self._value((*path, len(sequence)), event))
        return sequence

    def _key(self, path: Path, event: yaml.Event) -> str | None:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(path, event, "a key must be text, not a list, a mapping or an alias")
            self._value((*path, _NO_KEY), event)
            return None
        key = self._text(path, event)
        here = (*path, key)
        self._check_properties(here, event)
        if here in self.keys:
            first = self.keys[here].line
            message = f"is here twice, first on line {first}; remove one"
            self._refuse(here, event, message, is_key=True)
            return None
        if event.style is None and (message := _refusal_of_key(key)):
            self._refuse(here, event, message, is_key=True)
        self.keys[here] = _place(event)
        return key

    def _check_properties(self, path: Path, event: yaml.Event) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            message = f"the alias '*{shown(anchor or '')}' is not supported; write the value out"
            self._refuse(path, event, message)
        elif anchor is not None:
            self._refuse(path, event, f"the anchor '&{shown(anchor)}' is not supported; remove it")
        if tag is not None:
            short = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self._refuse(path, event, f"the tag '{short}' is not supported; remove it")

    def _text(self, path: Path, event: yaml.ScalarEvent) -> str:
        # "\ud800" is half a character: Python holds it, nothing can print or store it.
        if _SURROGATE.search(event.value):
            self._refuse(path, event, "half a character (a surrogate) is not text; remove it")
        return _SURROGATE.sub("?", event.value)

    def _refuse(self, path: Path, event: yaml.Event, message: str, *, is_key: bool = False) -> None:
        self._problems.append(
            Problem(path=path, message=message, place=_place(event), is_key=is_key)
        )


def _refusal_of_key(key: str) -> str:
    value = read_plain(key)
    if key == "<<":
        return "merge keys are not supported; write the values out"
    if isinstance(value, Trap):
        return f"the key {shown(key)} was read as {value.read_as}; write {shown(value.quoted)}"
    if value is None:
        return "a key is missing before this ':'"
    return "" if isinstance(value, str) else f'the key {key} is not text; write "{key}"'


def _place(event: yaml.Event) -> Place:
    return _counted_from_1(event.start_mark)


def _counted_from_1(mark: Any) -> Place:  # noqa: ANN401 - two classes and None in the stubs
    return Place(mark.line + 1, mark.column + 1)


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "unknown"
    if "'\\t'" in problem:
        return "a tab stands here; indent with spaces"
    return f"this is not YAML: {shown(problem)}"
