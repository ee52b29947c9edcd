"""What SECURITY.md and the table of profiles point to exists (E: a claim has its test)."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("SECURITY.md", "docs/explanation/security-profiles.md")
#: Programs of a host or a node, and what the user has to type.
SCRIPTS = ("bootstrap", "templates", "playbooks", ".ci", "docs", "artifacts")
PIPED = re.compile(r"\b(curl|wget)\b[^\n]*\|\s*(sudo\s+)?(ba)?sh\b")
TESTS = "".join(path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py")))


def _rows(document: str) -> list[list[str]]:
    lines = (ROOT / document).read_text().splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ") and re.search(r"\b[A-Z]{1,3}-\d\d", line)
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_exists(document: str) -> None:
    named = re.findall(r"`((?:tests/\S+/|trust/)?test_\w+\.py)`", (ROOT / document).read_text())
    assert named
    known = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    assert [name for name in named if not any(path.endswith(name) for path in known)] == []


def test_every_defence_of_the_threat_model_cites_a_rule_that_a_test_cites() -> None:
    rows = _rows("SECURITY.md")
    assert len(rows) > 15
    for defended, rules, tests in rows:
        ids = re.findall(r"[A-Z]{1,3}-\d\d", rules)
        assert any(re.search(rf"\b{name}\b", TESTS) for name in ids), defended
        assert "test_" in tests


def test_every_setting_that_is_said_to_be_checked_is_cited_by_a_test() -> None:
    checked = [row for row in _rows("docs/explanation/security-profiles.md") if len(row) == 5]
    assert len(checked) > 15
    for setting, *_, name, how in checked:
        assert how == "-" or re.search(rf"\b{name}\b", TESTS), setting


def test_nothing_downloaded_is_piped_into_a_shell() -> None:
    """SEC-20, H-23: in code, documents and CI."""
    assert PIPED.search("curl -sfL https://get.example.org | sudo sh -")
    trees = (ROOT / name for name in SCRIPTS)
    files = [path for tree in trees for path in tree.rglob("*") if path.is_file()]
    files += [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "setup.sh")]
    texts = {path: path.read_bytes().decode(errors="replace") for path in files}
    assert [path for path, text in texts.items() if PIPED.search(text)] == []
