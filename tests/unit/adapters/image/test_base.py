"""A base system that was fetched is found without asking anyone; a damaged one is not."""

import json
from pathlib import Path

import pytest

from bootstrap.adapters.image import recipe
from bootstrap.adapters.image.base import find_base


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    path = tmp_path / f"{recipe.base_key()}.tar"
    path.write_bytes(b"content")
    path.with_suffix(".json").write_text(json.dumps({"sha256": "abc", "size": 7}))
    return path


def test_a_fetched_base_is_found_with_its_digest(tar: Path) -> None:
    base = find_base(tar.parent)
    assert base is not None
    assert (base.tar, base.digest) == (tar, "abc")


def test_a_truncated_base_is_not_found(tar: Path) -> None:
    tar.write_bytes(b"con")
    assert find_base(tar.parent) is None


def test_a_base_without_its_digest_is_not_found(tar: Path) -> None:
    tar.with_suffix(".json").unlink()
    assert find_base(tar.parent) is None


@pytest.mark.parametrize("note", ["", "null", "[]", "{}"])
def test_a_damaged_note_means_that_there_is_no_base(tar: Path, note: str) -> None:
    tar.with_suffix(".json").write_text(note)
    assert find_base(tar.parent) is None


def test_a_base_of_another_recipe_is_not_found(tar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "SUITE", "forky")
    assert find_base(tar.parent) is None
