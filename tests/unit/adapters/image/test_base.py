"""A base system that was fetched is found without asking anyone; a damaged one is not."""

import json
from pathlib import Path

import pytest

from bootstrap.adapters.image import recipe
from bootstrap.adapters.image.base import find_base, prune_bases


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


def test_pruning_keeps_the_base_that_images_are_made_from(tar: Path) -> None:
    """And what is not a base system of ours."""
    old, older = "0" * 32, "1" * 32
    for name in (f"{old}.tar", f"{old}.json", f"{older}.tar", "thesis.tar", "notes.json"):
        (tar.parent / name).touch()
    assert prune_bases(tar.parent) == [f"base-{old}", f"base-{older}"]
    names = {path.name for path in tar.parent.iterdir()}
    assert names == {tar.name, f"{tar.stem}.json", "thesis.tar", "notes.json"}
    assert find_base(tar.parent) is not None
    assert prune_bases(tar.parent) == []


def test_pruning_where_nothing_was_fetched_does_nothing(tmp_path: Path) -> None:
    assert prune_bases(tmp_path / "absent") == []
