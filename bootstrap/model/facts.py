"""Fields of the spec that are fixed when a cluster is made, and remembered in its marks.

``Annotated[int, Remembered("cpus", int)]`` in a dataclass of the spec declares one: ``up``
writes it to the marks of domains, keeps its value while the user chooses no other, and refuses
another value.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


_Part = TypeVar("_Part", bound=_Dataclass)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The name of a fact; ``write`` makes its text from the field's value, ``read`` reverts it."""

    name: str
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


def fact_name(kind: type, field: str) -> str | None:
    """Return the name of the fact for a field of a spec's dataclass, if it is remembered."""
    return next((fact.name for name, fact in _facts(kind) if name == field), None)


def facts_of(kind: type, values: object) -> dict[str, str]:
    """List the facts of a spec's dataclass; ``values`` has its attributes."""
    return {fact.name: fact.write(getattr(values, name)) for name, fact in _facts(kind)}


def remembered_values(kind: type, values: object) -> dict[str, Any]:
    """List the same as :func:`facts_of`, as values."""
    return {fact.name: getattr(values, name) for name, fact in _facts(kind)}


def with_facts(part: _Part, facts: Mapping[str, str]) -> _Part:
    """Return a part of the spec with the values that ``facts`` has of it.

    :raises ValueError: if a fact is not what ``write`` makes.
    """
    known = ((name, fact) for name, fact in _facts(type(part)) if fact.name in facts)
    return replace(part, **{name: fact.read(facts[fact.name]) for name, fact in known})


def _facts(kind: type) -> Iterator[tuple[str, Remembered]]:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Remembered):
                yield name, mark
