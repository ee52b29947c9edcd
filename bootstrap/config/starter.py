"""What ``bootstrap init`` and ``bootstrap schema`` print."""

from importlib import resources
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from bootstrap.config.schema import ClusterFile
from bootstrap.model.names import ClusterName

_PLACEHOLDER = "name-of-the-cluster"


def starter_file(name: ClusterName) -> str:
    """Give a cluster file that works as it is and explains what can be changed.

    It asks for what no file at all would give.
    """
    template = resources.files(__package__).joinpath("starter.yaml").read_text(encoding="utf-8")
    # The name stands in quotes there, and a ClusterName can hold neither quote nor backslash.
    return template.replace(_PLACEHOLDER, str(name))


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of the cluster file, for editors and CI."""
    schema = ClusterFile.model_json_schema(schema_generator=_Generator)
    return {"$schema": _Generator.schema_dialect, **schema}


class _Generator(GenerateJsonSchema):
    """Leaves out what would mislead: a null default, and titles that only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        """See pydantic's class."""
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """See pydantic's class."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)
