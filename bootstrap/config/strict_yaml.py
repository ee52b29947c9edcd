"""Read the plain part of YAML and know where everything stands (SEC-10).

Works on the parser's events, so that nothing is built before it is checked: no aliases,
anchors, tags, merge keys or second document, and limits on size, depth and count.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from bootstrap.config.plain_scalars import Trap, read_plain
from bootstrap.config.problems import Path, Place, Problem, shown
from bootstrap.config.yaml_events import Events, UnreadableError, place_of

_MAX_DEPTH = 20
#: 100 nodes with ten keys each are 2000; more only serve to keep the parser busy.
_MAX_VALUES = 4000
#: Stands in the paths of values whose key was refused; they are read and dropped.
_NO_KEY = "?"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The file's data, where each part of it stands, and what was refused on the way.

    If it could not be read to its end, ``is_whole`` is false and ``data`` is None.
    """

    data: object
    is_whole: bool = True
    problems: tuple[Problem, ...] = ()
    values: Mapping[Path, Place] = field(default_factory=dict)
    keys: Mapping[Path, Place] = field(default_factory=dict)

    def place(self, problem: Problem) -> Place | None:
        """Find where a problem stands; the nearest mapping or list if a key is missing."""
        if problem.place or (problem.is_key and problem.path in self.keys):
            return problem.place or self.keys[problem.path]
        above = (problem.path[:length] for length in range(len(problem.path), -1, -1))
        return next((self.values[path] for path in above if path in self.values), None)


def parse(content: bytes) -> Document:
    """Read one document; never raises, whatever the bytes are (H-04, H-05, G-09)."""
    problems: list[Problem] = []
    try:
        reader = _Reader(Events(content), problems)
        data = reader.document()
    except UnreadableError as error:
        return Document(data=None, is_whole=False, problems=(*problems, error.problem))
    return Document(data=data, problems=tuple(problems), values=reader.values, keys=reader.keys)


class _Reader:
    def __init__(self, events: Events, problems: list[Problem]) -> None:
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self._events = events
        self._problems = problems
        self._count = 0

    def document(self) -> object:
        self._events.next()
        start = self._events.next()
        if not isinstance(start, yaml.DocumentStartEvent):
            raise UnreadableError("the file is empty", Place(1, 1))
        if start.version or start.tags:
            self._refuse((), start, "directives such as %YAML are not supported; remove them")
        data = self._value((), self._events.next())
        self._events.next()
        further = self._events.next()
        if isinstance(further, yaml.DocumentStartEvent):
            raise UnreadableError("a second document begins here; keep only one", place_of(further))
        return data

    def _value(self, path: Path, event: yaml.Event) -> object:
        place = place_of(event)
        self.values.setdefault(path, place)
        self._count += 1
        if self._count > _MAX_VALUES:
            raise UnreadableError(f"the file holds more than {_MAX_VALUES} values", place)
        if len(path) >= _MAX_DEPTH:
            raise UnreadableError(f"values are nested more than {_MAX_DEPTH} deep", place)
        self._check_properties(path, event)
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case yaml.ScalarEvent():
                return self._scalar(path, event)
            case _:
                return None  # an alias, which has been refused

    def _mapping(self, path: Path) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(event := self._events.next(), yaml.MappingEndEvent):
            key = self._key(path, event)
            value = self._value((*path, _NO_KEY if key is None else key), self._events.next())
            if key is not None:
                mapping[key] = value
        return mapping

    def _sequence(self, path: Path) -> list[object]:
        sequence: list[object] = []
        while not isinstance(event := self._events.next(), yaml.SequenceEndEvent):
            sequence.append(self._value((*path, len(sequence)), event))
        return sequence

    def _scalar(self, path: Path, event: yaml.ScalarEvent) -> object:
        text = self._text(path, event)
        # A tag has been refused; what it stands on must not cause a second problem.
        return read_plain(text) if event.style is None and event.tag is None else text

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
            self._refuse_key(here, event, f"is here twice, first on line {first}; remove one")
            return None
        if event.style is None:
            self._check_plain_key(here, key, event)
        self.keys[here] = place_of(event)
        return key

    def _check_plain_key(self, here: Path, key: str, event: yaml.Event) -> None:
        value = read_plain(key)
        if key == "<<":
            self._refuse_key(here, event, "merge keys are not supported; write the values out")
        elif isinstance(value, Trap):
            advice = f"the key {shown(key)} was read as {value.read_as}"
            self._refuse_key(here, event, f"{advice}; write {shown(value.quoted)}")
        elif value is None:
            self._refuse_key(here, event, "a key is missing before this ':'")
        elif not isinstance(value, str):
            self._refuse_key(here, event, f'the key {key} is not text; write "{key}"')

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

    def _refuse(self, path: Path, event: yaml.Event, message: str) -> None:
        place = place_of(event)
        self._problems.append(Problem(path=path, message=message, place=place))

    def _refuse_key(self, path: Path, event: yaml.Event, message: str) -> None:
        place = place_of(event)
        self._problems.append(Problem(path=path, message=message, place=place, is_key=True))
