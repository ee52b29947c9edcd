"""Read JSON documents that a sick API server may have filled with anything."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]


def dig(document: object, *keys: str) -> Any:  # noqa: ANN401 - JSON has no type of its own
    """Follow ``keys`` into nested objects; None where the path ends early."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def text(document: object, *keys: str) -> str:
    """Give the string at ``keys``, or an empty one."""
    value = dig(document, *keys)
    return value if isinstance(value, str) else ""


def count(document: object, *keys: str) -> int:
    """Give the number at ``keys``; the API server leaves zeroes out."""
    value = dig(document, *keys)
    return value if isinstance(value, int) else 0


def objects(document: object, *keys: str) -> Iterator[Document]:
    """Give the objects of the list at ``keys``."""
    value = dig(document, *keys)
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (item for item in value if isinstance(item, Mapping))
