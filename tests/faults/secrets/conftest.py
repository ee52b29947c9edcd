"""Run tests inside a test, under the project's own guards."""

from collections.abc import Callable
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[3]
Judge = Callable[[str], pytest.RunResult]


@pytest.fixture
def judge(pytester: pytest.Pytester) -> Judge:
    """Run one test, given as its body, with the guards of ``tests/conftest.py``."""

    def run(body: str) -> pytest.RunResult:
        tests = pytester.mkdir("tests")
        for name in ("conftest.py", "canaries.py", "processes.py", "scale.py"):
            (tests / name).symlink_to(_REPOSITORY / "tests" / name)
        unit = pytester.mkdir("tests/unit")
        (unit / "test_it.py").write_text(body)
        return pytester.runpytest_subprocess(unit / "test_it.py", "-p", "no:cacheprovider")

    return run
