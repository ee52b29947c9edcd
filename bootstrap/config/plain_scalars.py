"""Tell what an unquoted YAML value is, and catch those that are not what they look like.

Only what every YAML version and every reader agree on is taken: whole numbers without
leading zeros, ``true``, ``false``, nothing at all, and text. All else that some reader
takes for a number, boolean, date or null becomes a :class:`Trap` (P-13, M24).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
#: YAML 1.2 reads these as numbers where 1.1 sees text: 1e3, 0o17.
_NEWER_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+")
_BOOLEANS = {
    **dict.fromkeys(("y", "yes", "on", "true"), "the boolean true"),
    **dict.fromkeys(("n", "no", "off", "false"), "the boolean false"),
}
#: Longer ones are described, not computed: a sexagesimal of 256 KiB takes minutes.
_COMPUTED_CHARACTERS = 60

# Any: the stubs leave its methods untyped.
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


@dataclass(frozen=True, slots=True)
class Trap:
    """Unquoted text that YAML reads as something else than text."""

    raw: str
    read_as: str

    @property
    def quoted(self) -> str:
        """The same text as it must be written to stay text."""
        return json.dumps(self.raw)


PlainValue = str | int | bool | Trap | None


def read_plain(raw: str) -> PlainValue:
    """Give the value of an unquoted scalar."""
    if not raw:
        return None
    if raw in ("true", "false"):
        return raw == "true"
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
        case "timestamp":
            return "a date"
        case "null":
            return "null"
        case _:
            return "a sign of YAML's own"


def _number(raw: str, kind: str) -> str:
    node = yaml.ScalarNode(f"tag:yaml.org,2002:{kind}", raw)
    construct = (
        _CONSTRUCTOR.construct_yaml_int if kind == "int" else _CONSTRUCTOR.construct_yaml_float
    )
    if len(raw) > _COMPUTED_CHARACTERS:
        return "a number"
    try:
        return f"the number {construct(node)}"
    except (ValueError, OverflowError):  # 0b_ matches PyYAML's pattern and has no digit
        return "a number"
