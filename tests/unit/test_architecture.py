"""docs/explanation/architecture.md shows the layers that import-linter enforces."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")


def contract() -> list[set[str]]:
    """Return the modules of each layer, the highest first."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [layers] = [
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    return [set(re.findall(r"bootstrap\.(\w+)", layer)) for layer in layers]


def picture() -> list[set[str]]:
    [text] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    rows = re.findall(r"^  ([a-z_]+(?: \| [a-z_]+)*)  ", text, re.MULTILINE)
    return [set(row.split(" | ")) for row in rows]


def test_the_picture_has_the_layers_of_the_contract_in_their_order() -> None:
    assert picture() == contract()


def test_every_package_is_in_a_layer() -> None:
    packages = {path.parent.name for path in (ROOT / "bootstrap").glob("*/__init__.py")}
    assert packages
    assert packages <= set().union(*picture())


def test_every_path_that_the_page_names_exists() -> None:
    paths = re.findall(r"\]\(([^)]+)\)", PAGE)
    named = re.findall(r"`((?:bootstrap|tests)/[\w/.]+)`", PAGE)
    assert paths
    assert named
    assert [path for path in paths if not (ROOT / "docs/explanation" / path).exists()] == []
    assert [path for path in named if not (ROOT / path).exists()] == []
