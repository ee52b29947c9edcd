"""Read unquoted YAML values, and find those that YAML reads as something unexpected.

Only values that every YAML version and every parser reads alike are accepted: whole numbers
without leading zeros, ``true``, ``false``, nothing at all, and text. A value that some parser
reads as another number, boolean, date or null becomes a :class:`Trap` (P-13, M24).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
#: YAML 1.2 reads these as numbers, YAML 1.1 as text: 1e3, 0o17.
_NEWER_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+")
_BOOLEANS = {
    **dict.fromkeys(("y", "yes", "on", "true"), "the boolean true"),
    **dict.fromkeys(("n", "no", "off", "false"), "the boolean false"),
}
_OTHERS = {"timestamp": "a date", "null": "null"}
#: A longer number is not computed: a sexagesimal of 256 KiB takes minutes.
_COMPUTED_CHARACTERS = 60

# Any: the stubs leave its methods untyped.
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


@dataclass(frozen=True, slots=True)
class Trap:
    """Unquoted text that YAML does not read as text."""

    raw: str
    read_as: str

    @property
    def quoted(self) -> str:
        """The value in the quotes that make it text."""
        return json.dumps(self.raw)


PlainValue = str | int | bool | Trap | None


def read_plain(raw: str) -> PlainValue:
    """Return the value of an unquoted scalar."""
    if raw in ("", "true", "false"):
        return raw == "true" if raw else None
    if _INTEGER.fullmatch(raw):
        return int(raw)
    read_as = _read_as(raw)
    return Trap(raw, read_as) if read_as else raw


def _read_as(raw: str) -> str:
    if raw.lower() in _BOOLEANS:
        return _BOOLEANS[raw.lower()]
    match _RESOLVER.resolve(yaml.ScalarNode, raw, (True, False)).rpartition(":")[2]:
        case "str":
            return "a number" if _NEWER_NUMBER.fullmatch(raw) else ""
        case "int" | "float" as kind:
            return _number(raw, kind)
        case kind:
            return _OTHERS.get(kind, "a sign of YAML's own")


def _number(raw: str, kind: str) -> str:
    if len(raw) > _COMPUTED_CHARACTERS:
        return "a number"
    node = yaml.ScalarNode(f"tag:yaml.org,2002:{kind}", raw)
    read = _CONSTRUCTOR.construct_yaml_int if kind == "int" else _CONSTRUCTOR.construct_yaml_float
    try:
        return f"the number {read(node)}"
    except (ValueError, OverflowError):  # 0b_ matches PyYAML's pattern and has no digit
        return "a number"
