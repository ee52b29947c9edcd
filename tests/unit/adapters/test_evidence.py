"""Evidence is saved from whatever still answers, and cannot write on a terminal."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.evidence import collect
from bootstrap.errors import TimedOutError
from bootstrap.ports import Reachable, ShellResult
from bootstrap.waiting import NotYet


@dataclass(frozen=True)
class Node:
    name: str
    directory: Path
    ssh_port: int = 22

    @property
    def console_log(self) -> Path:
        return self.directory / "console.log"


class Shell:
    """Answers every question, but for nodes that are gone."""

    def __init__(self, gone: dict[str, Exception] | None = None) -> None:
        self._gone = gone or {}
        self.asked: list[str] = []

    def is_ready(self, node: Reachable) -> None:
        raise NotImplementedError

    def run(
        self, node: Reachable, command: str, *, timeout_s: float, stdin: str = ""
    ) -> ShellResult:
        assert timeout_s > 0
        assert not stdin
        self.asked.append(node.name)
        if node.name in self._gone:
            raise self._gone[node.name]
        return ShellResult(exit_status=1, stdout=f"\x1b[31m{command}\x1b[0m\n", stderr="err\n")


@pytest.fixture
def nodes(tmp_path: Path) -> list[Node]:
    made = [Node("a", tmp_path / "a"), Node("b", tmp_path / "b")]
    for node in made:
        node.directory.mkdir()
    made[0].console_log.write_bytes(b"boot\x1b]0;title\x07\xff\n")
    return made


def test_consoles_and_answers_are_saved_without_control_codes(
    nodes: list[Node], tmp_path: Path
) -> None:
    """H-09, SEC-15."""
    place = collect(tmp_path / "evidence", nodes, Shell())
    text = (place / "a" / "kubelet.txt").read_text()
    assert text == "journalctl --no-pager -u kubelet -n 400\nerr\n"
    assert (place / "a" / "console.txt").read_text().startswith("boot")
    assert "\x1b" not in "".join(path.read_text() for path in place.rglob("*.txt"))
    assert not (place / "b" / "console.txt").exists()


@pytest.mark.parametrize("error", [NotYet("connection refused"), TimedOutError("Timed out.")])
def test_a_node_that_does_not_answer_is_asked_once_and_delays_no_other(
    nodes: list[Node], tmp_path: Path, error: Exception
) -> None:
    shell = Shell({"a": error})
    place = collect(tmp_path / "evidence", nodes, shell)
    assert shell.asked.count("a") == 1
    assert (place / "a" / "unreachable.txt").read_text() == f"{error}\n"
    assert (place / "a" / "console.txt").exists()
    assert (place / "b" / "system.txt").exists()


def test_evidence_is_private(nodes: list[Node], tmp_path: Path) -> None:
    """G-26."""
    place = collect(tmp_path / "evidence", nodes, Shell())
    modes = {path.stat().st_mode & 0o777 for path in [place, *place.rglob("*")]}
    assert modes == {0o700, 0o600}
