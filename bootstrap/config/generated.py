"""Make the JSON Schema and the starter file from the table of fields."""

from collections.abc import Mapping
from textwrap import fill, indent
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from bootstrap.config.schema import (
    API_VERSION,
    KIND,
    SECTIONS,
    ByRole,
    ClusterFile,
    Metadata,
    NodeGroup,
    Section,
)
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import NodeRole

_HEAD = """\
# A Kubernetes cluster; bootstrap makes it from this file. `bootstrap schema` prints all rules.
# A line that is commented out shows the default or, where there is none, an example.
# Only apiVersion and kind are required. Quote what looks like a number: "1.30" is text.
"""
_NULL, _TEXT = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the cluster file, for editors and CI."""
    schema = ClusterFile.model_json_schema(schema_generator=_Generator)
    return {"$schema": _Generator.schema_dialect, **schema}


class _Generator(GenerateJsonSchema):
    """Leaves out a null default, and titles that only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        """See pydantic's class."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """See pydantic's class."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def starter_file(name: ClusterName) -> str:
    """Return a cluster file that works as it is and explains what can be changed.

    It describes the same cluster as no file at all.
    """
    text = _HEAD + _dumped({"apiVersion": API_VERSION, "kind": KIND})
    for field in list(ClusterFile.model_fields.values())[2:]:
        section = SECTIONS.get((str(field.alias),))
        text += "\n" + _comment(section.__doc__ if section else field.description)
        if section is None:
            text += _entry(field)
        elif section is Metadata or section is NodeGroup:
            given = _fields(Metadata, {"name": name}) if section is Metadata else _groups()
            text += _dumped({field.alias: None}) + indent(given, "  ")
        else:
            text += indent(_dumped({field.alias: None}) + indent(_fields(section), "  "), "# ")
    return text


def _groups() -> str:
    """Write a group of nodes for each role; the first one explains the fields."""
    text = ""
    for role in NodeRole:
        defaults = {
            str(field.alias): field.default_factory({"role": role})
            for field in NodeGroup.model_fields.values()
            if isinstance(field.default_factory, ByRole)
        }
        given = {"role": role.value}
        entries = _fields(NodeGroup, given, defaults, is_explained=not text)
        text += indent(entries, "  ").replace("  role:", "- role:", 1)
    return text


def _fields(
    section: type[Section],
    given: Mapping[str, object] | None = None,
    defaults: Mapping[str, object] | None = None,
    *,
    is_explained: bool = True,
) -> str:
    """Write a section's fields; those that are not ``given``, if any are, are commented out.

    ``defaults`` are those that depend on other fields.
    """
    shown = {**(defaults or {}), **(given or {})}
    text = ""
    for field in section.model_fields.values():
        text += _comment(field.description) if is_explained else ""
        mark = "# " if given and field.alias not in given else ""
        text += _entry(field, shown.get(str(field.alias)), mark)
    return text


def _entry(field: FieldInfo, value: object = None, mark: str = "# ") -> str:
    """Write a field with a value, its default or an example."""
    candidates = (value, field.default, *(field.examples or ()))
    shown = next(item for item in candidates if item is not None and item != {})
    return indent(_dumped({field.alias: shown}), mark)


def _comment(text: str | None) -> str:
    return indent(fill(str(text), 88), "# ") + "\n"


def _dumped(data: object) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Writes nothing for None, and a cluster's name in quotes: it may be "no"."""


_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(_NULL, ""))
_Dumper.add_representer(
    ClusterName, lambda dumper, name: dumper.represent_scalar(_TEXT, str(name), style='"')
)
