"""The how-to page about the API: each of its programs runs as it is written."""

import re
from pathlib import Path

import pytest

from bootstrap.api import runs
from tests.builders import FakeWorld, write_kubectl
from tests.unit.api.conftest import composition_of

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "python-api.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.runs_programs
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_page_runs_and_leaves_nothing(
    program: str, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "Composition", lambda: composition_of(world))
    write_kubectl("v1.37.2", "#!/bin/sh\n")
    exec(compile(program, PAGE, "exec"), {})  # noqa: S102 - as a user runs it
    assert any("ensure_domain" in change for change in world.journal.changes)
    is_left_on_purpose = "except CancelledError" in program
    assert bool(world.hypervisor.domains()) is is_left_on_purpose


def test_the_page_has_programs() -> None:
    assert len(PROGRAMS) == 3
