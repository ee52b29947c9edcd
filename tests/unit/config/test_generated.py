"""The starter file works as it is; the schema agrees with the loader."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bootstrap.config.flags import Flags
from bootstrap.config.generated import json_schema, starter_file
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from bootstrap.model.names import ClusterName

CLUSTERS = Path(__file__).parents[2] / "data" / "clusters"
#: Files that break rules between values, which a JSON Schema cannot express.
ONLY_BETWEEN_VALUES = {
    "invalid-counts",
    "invalid-no-control-plane",
    "invalid-overlap-with-default",
    "invalid-overlaps",
    "invalid-room",
    "invalid-sizes",
}


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["demo", "no", "on", "null", "true", "y", "e3", "bootstrap"])
def test_the_starter_file_describes_the_same_cluster_as_no_file(name: str, tmp_path: Path) -> None:
    """P-13: names such as no and on stay text."""
    path = _write(tmp_path, starter_file(ClusterName(name)))
    assert load_spec(path, Flags()) == load_spec(None, Flags(name=name))


def test_the_defaults_shown_in_the_starter_file_are_the_defaults(tmp_path: Path) -> None:
    text = starter_file(ClusterName("demo"))
    commented = r"^( *)# ( *[a-zA-Z]+:(?: [^ \n]+)?)( +#.*)?$"
    uncommented = re.sub(commented, r"\1\2", text, flags=re.MULTILINE)
    assert "\n  podSubnet:" in uncommented
    assert "\n      disk: fast" in uncommented
    spec = load_spec(_write(tmp_path, uncommented), Flags())
    assert spec.networking.api_server_port == 6443
    assert spec.node_groups[1].labels == {"disk": "fast"}
    assert spec.kubelet_versions == (spec.kubernetes_version,)
    plain = re.sub(
        r".*(labels:|disk: fast|apiServerPort|hypervisor|uri: |kubeletVersion).*\n", "", uncommented
    )
    assert load_spec(_write(tmp_path, plain), Flags()) == load_spec(None, Flags(name="demo"))


@pytest.fixture(scope="module")
def validator() -> Any:  # noqa: ANN401 - jsonschema's class is made at run time
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", sorted(CLUSTERS.glob("valid-*.yaml")), ids=lambda path: path.stem)
def test_the_schema_accepts_valid_files(path: Path, validator: Any) -> None:  # noqa: ANN401
    assert list(validator.iter_errors(yaml.safe_load(path.read_text()))) == []


@pytest.mark.parametrize(
    "name",
    ["invalid-many", "invalid-values", "invalid-unknown-keys", "invalid-labels", "invalid-shapes",
     "invalid-no-kind", "invalid-list"],
)  # fmt: skip
def test_the_schema_refuses_invalid_values(
    name: str, validator: Any  # noqa: ANN401
) -> None:  # fmt: skip
    data = yaml.safe_load((CLUSTERS / f"{name}.yaml").read_text())
    assert not validator.is_valid(data)


@pytest.mark.parametrize("name", sorted(ONLY_BETWEEN_VALUES - {"invalid-room"}))
def test_only_the_loader_checks_rules_between_values(
    name: str, validator: Any  # noqa: ANN401
) -> None:  # fmt: skip
    path = CLUSTERS / f"{name}.yaml"
    assert validator.is_valid(yaml.safe_load(path.read_text()))
    with pytest.raises(ConfigError):
        load_spec(path, Flags())


def _mappings(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"": schema, **schema["$defs"]}


def test_unknown_keys_are_refused_everywhere() -> None:
    for name, mapping in _mappings(json_schema()).items():
        assert mapping["additionalProperties"] is False, name
    assert json_schema()["$defs"]["NodeGroup"]["properties"]["labels"]["additionalProperties"] is (
        False
    )


def test_every_field_is_described_and_its_default_is_valid() -> None:
    schema = json_schema()
    for mapping in _mappings(schema).values():
        for key, field in mapping["properties"].items():
            assert field.get("description") or schema["$defs"][field["$ref"][8:]]["description"], (
                key
            )
            if "default" in field:
                jsonschema.validate(field["default"], field)


def test_only_api_version_and_kind_are_required() -> None:
    schema = json_schema()
    assert schema["required"] == ["apiVersion", "kind"]
    assert not any("required" in mapping for mapping in schema["$defs"].values())
