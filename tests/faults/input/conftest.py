"""A command line that takes one cluster file after the other, under limits."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]
DATA = REPOSITORY / "tests" / "data"
#: Every valid and every wrong file that is kept; what once failed is among them.
CORPUS = sorted([*(DATA / "clusters").glob("*.yaml"), *(DATA / "fuzz").iterdir()])


class Loader:
    """The worker, and the file that it reads."""

    def __init__(self, child: "subprocess.Popen[str]", file: Path) -> None:
        self._child, self._file = child, file

    def load(self, content: bytes) -> Mapping[str, Any]:
        """Pass a file's content to the command line, and return its answer."""
        self._file.write_bytes(content)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{self._file}\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        assert line, f"the worker died of {content[:300]!r}"
        answer: Mapping[str, Any] = json.loads(line)
        return answer


@pytest.fixture
def loader(tmp_path: Path) -> Iterator[Loader]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.input.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as child:
        yield Loader(child, tmp_path / "cluster.yaml")
        child.kill()
