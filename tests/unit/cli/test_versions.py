"""`versions` lists what `up --kubernetes-version` takes, and invents no date."""

import json
from datetime import date

import pytest

from bootstrap.model import versions
from bootstrap.model.versions import DEFAULT_VERSION, SUPPORTED_VERSIONS
from tests.unit.cli.conftest import FakeCommandLine as CommandLine


def test_each_version_that_up_takes_is_listed_newest_first(line: CommandLine) -> None:
    names = line.done("versions", "-o", "name").splitlines()
    assert names == list(SUPPORTED_VERSIONS)
    for name in names:
        line.done("plan", "demo", "--kubernetes-version", name)


def test_the_image_of_a_version_is_built_or_not_and_listing_builds_none(line: CommandLine) -> None:
    rows = [row.split() for row in line.done("versions").splitlines()[1:3]]
    assert rows == [
        [DEFAULT_VERSION, source, *("unknown", "not", "built", "default")]
        for source in ("upstream", "go")
    ]
    assert line.world.journal.changes == []
    (before, *_) = json.loads(line.done("versions", "-o", "json"))
    line.done("image", "build")
    (after, *_) = json.loads(line.done("versions", "-o", "json"))
    assert before == {
        "version": DEFAULT_VERSION,
        "source": "upstream",
        "default": True,
        "supportEnds": None,
        "imageBuilt": False,
    }
    assert after == before | {"imageBuilt": True}


def test_the_end_of_support_is_that_of_the_minor(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    minor = DEFAULT_VERSION.rpartition(".")[0]
    monkeypatch.setattr(versions, "SUPPORT_ENDS", {minor: date(2040, 2, 28), "v1.3": date.min})
    assert "2040-02-28" in line.done("versions")
    assert json.loads(line.done("versions", "-o", "json"))[0]["supportEnds"] == "2040-02-28"
