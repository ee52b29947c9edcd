"""Each fault, goal, rule or measurement that is cited has its row in docs/reference/faults.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "faults.md"
FOLDERS = ("bootstrap", "tests", "docs", "playbooks", "templates")
SUFFIXES = {".py", ".md", ".yml", ".yaml", ".j2", ".json", ".toml", ".txt", ".sh"}
ID = re.compile(r"(?<![\w-])(?:[A-Z]{1,3}-\d\d|M\d{1,2})(?![\w-])")
RANGE = re.compile(r"\b([A-Z]{1,3})-(\d\d) to (?:\1-)?(\d\d)\b")
NO_IDS = {"DEP-11"}  # a component of Debian's archive
ROW = re.compile(r"^\| (\S+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def ids(text: str) -> Iterator[str]:
    yield from ID.findall(text)
    for letters, first, last in RANGE.findall(text):
        yield from (f"{letters}-{number:02}" for number in range(int(first), int(last) + 1))


def cited() -> dict[str, str]:
    """Return each cited id with a file that cites it."""
    return {
        name: path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES and path not in (PAGE, Path(__file__))
        for name in ids(path.read_text(encoding="utf-8", errors="replace"))
        if name not in NO_IDS
    }


def rows() -> list[tuple[str, str]]:
    """Return the id and the test of each row."""
    return [row for row in ROW.findall(PAGE.read_text(encoding="utf-8")) if row[0] != "id"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(K-09)", {"K-09"}),
        ("G-02, SEC-15 and M22.", {"G-02", "SEC-15", "M22"}),
        ("H-01 to H-03", {"H-01", "H-02", "H-03"}),
        ("R-07 to 09", {"R-07", "R-08", "R-09"}),
        ("2024-01-01, 4C-04-11, UTF-8, v1.30", set()),
    ],
)
def test_an_id_is_recognised_in_each_way_of_citing(text: str, found: set[str]) -> None:
    assert set(ids(text)) == found


def test_every_cited_id_has_one_row() -> None:
    names = [name for name, _ in rows()]
    assert len(names) == len(set(names))
    citations = cited()
    assert len(citations) > 100
    assert {name: place for name, place in citations.items() if name not in names} == {}


def test_every_row_names_a_test_file_or_a_page_that_exists() -> None:
    for name, test in rows():
        page = re.fullmatch(r"none: see \[.+\]\((.+)\)", test)
        path = PAGE.parent / page[1] if page else ROOT / test.strip("`")
        assert path.is_file(), f"{name}: {test}"
