from pathlib import Path

import pytest

from bootstrap.adapters.kubeconfig.reading import parse, read_document, read_text
from bootstrap.errors import StateError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join([f'*{p}'] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("!!python/object/apply:os.system [true]", "not valid YAML"),
        ("[1]", "kind is not Config"),
        ("kind: Pod", "kind is not Config"),
        ("clusters: 5", "clusters are not a list"),
        ("current-context: 5", "current-context is not text"),
        ("clusters: []\nclusters: []", "a key is there twice"),
        ("x: &a [*a]", "expand to too much"),
        (BOMB, "expand to too much"),
        ("[" * 5000, "not valid YAML"),
    ],
    ids=range(11),
)
def test_what_is_no_kubeconfig_is_refused(text: str, reason: str) -> None:
    """H-04."""
    with pytest.raises(StateError, match="kept as it is") as caught:
        read_document(Path("config"), text)
    assert reason in caught.value.details


@pytest.mark.parametrize("text", ["", "\n", "# words", "---", "{}", "null"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert parse(text) == {}


def test_aliases_are_legal() -> None:
    assert parse("x: &a [1]\ny: *a")["y"] == [1]


def test_a_date_is_text_as_for_kubectl() -> None:
    assert parse("x: 2024-01-01")["x"] == "2024-01-01"


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read_text(tmp_path / "config") == ""


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * (1 << 20) + b"#"], ids=["bytes", "large"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(StateError):
        read_text(path)
    assert path.read_bytes() == content


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        read_text(tmp_path)
