"""`versions` lists what `up --kubernetes-version` takes."""

import json

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
        [DEFAULT_VERSION, source, *("2027-10-28", "not", "built", "default")]
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
        "supportEnds": "2027-10-28",
        "imageBuilt": False,
    }
    assert after == before | {"imageBuilt": True}
