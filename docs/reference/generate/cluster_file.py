"""The page of the cluster file, from the table of its fields."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from bootstrap.config.flags import Flags
from bootstrap.config.generated import json_schema
from bootstrap.config.load import load_spec
from bootstrap.config.options import OPTIONS
from bootstrap.config.problems import Path
from bootstrap.config.profiles import Profile
from bootstrap.config.schema import SECTIONS, ByRole, ClusterFile, Section
from bootstrap.model.facts import fact_name
from docs.reference.generate.markdown import code, table

_HEAD = """\
# The cluster file

This page is generated from the table in `bootstrap/config/schema.py`. `bootstrap schema` prints
the same as a JSON Schema, `bootstrap init` writes a starter file. Only `apiVersion` and `kind`
are required. A field that is *fixed* cannot be changed after the cluster is made; `bootstrap up
NAME` without a file keeps its value.
"""

_PROFILES = """
## Profiles

A profile is shorthand for sizes that fit together. It is not remembered: what it fills in is as if
you had written it. A value in the file or an option wins over it, and the number of nodes is
that of the profile only where the file lists none. What a cluster refuses is its *security*
profile, which is chosen apart from this one.
"""


def cluster_file() -> str:
    """Return the page of the cluster file."""
    return _HEAD + "".join(_section(*item) for item in SECTIONS.items()) + _profiles()


def _profiles() -> str:
    """Return the cluster that each profile makes of a file that sets nothing else."""
    head = ["profile", "nodes", "memory of each", "memory of the guests"]
    return f"{_PROFILES}\n{table(head, map(_profile, Profile))}"


def _profile(profile: Profile) -> list[str]:
    groups = load_spec(None, Flags(profile=profile.value)).node_groups
    nodes = ", ".join(f"{group.count} {group.role}" for group in groups)
    memory = ", ".join(f"{group.memory_mib} MiB" for group in groups)
    total = sum(group.count * group.memory_mib for group in groups)
    return [code(profile), nodes, memory, f"{total} MiB"]


def _section(path: Path, section: type[Section]) -> str:
    title = f"`{path[0]}`" if path else "Top level"
    rows = [_row((*path, key), section, name) for key, name in _keys(section)]
    head = ["key", "meaning", "allowed", "default", "option", "fixed"]
    return f"\n## {title}\n\n{section.__doc__}\n\n{table(head, rows)}"


def _keys(section: type[Section]) -> Iterator[tuple[str, str]]:
    for name, field in section.model_fields.items():
        yield str(field.alias), name


def _row(path: Path, section: type[Section], name: str) -> list[object]:
    key, field = str(path[-1]), section.model_fields[name]
    if path in SECTIONS:
        return [f"[{code(key)}](#{key})", SECTIONS[path].__doc__, "", "", "", ""]
    schema = json_schema()
    rules = (schema if section is ClusterFile else schema["$defs"][section.__name__])["properties"]
    options = ", ".join(code(option.flag) for option in OPTIONS if option.path == path)
    return [
        code(key),
        field.description,
        _allowed(rules[key]),
        _default(field),
        options,
        "yes" if fact_name(section.spec, name) else "",
    ]


def _allowed(rules: dict[str, Any]) -> str:
    if rules["type"] == "boolean":
        return "`true`, `false`"
    if "enum" in rules:
        return ", ".join(map(code, rules["enum"]))
    if "minimum" in rules:
        return f"{rules['minimum']} to {rules['maximum']}"
    (example, *_) = rules["examples"]
    return f"such as {code(example if isinstance(example, str) else json.dumps(example))}"


def _default(field: FieldInfo) -> str:
    if isinstance(field.default_factory, ByRole):
        return "by role"
    default = field.default
    if field.is_required() or default is None or default == {}:
        return ""
    return code(default or json.dumps(default))
