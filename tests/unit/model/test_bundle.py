"""What a bundle says of its files."""

from bootstrap.model.bundle import Bundle, Part
from bootstrap.model.snapshot import SavedFile

KEYS = {Part.ARTIFACTS: "aa", Part.BASE: "bb", Part.IMAGE: "cc"}
NAMES = ("README.md", "wheels/b.whl", "wheels/a.whl", "bases/bb/base.tar", "images/cc/disk.raw")


def test_the_files_are_told_apart_by_their_directories() -> None:
    bundle = Bundle(
        layout=1,
        created="2030-01-01T00:00:00+00:00",
        tool_version="0.1.0",
        kubernetes_version="v1.37.2",
        machine="x86_64",
        python="3.13",
        recipe="key",
        keys=KEYS,
        files={name: SavedFile(size_bytes=2, sha256=name) for name in NAMES},
    )
    assert bundle.wheels == ["a.whl", "b.whl"]
    assert list(bundle.of_part(Part.BASE)) == ["base.tar"]
    assert bundle.of_part(Part.IMAGE)["disk.raw"].sha256 == "images/cc/disk.raw"
    assert bundle.of_part(Part.ARTIFACTS) == {}
    assert bundle.size_bytes == 10
