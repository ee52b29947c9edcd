"""A fault before and after every call that changes something: all verbs end up right (G-02)."""

import pytest

from tests.faults.conftest import Scale
from tests.faults.points import VERBS, Trials, chosen
from tests.faults.sandbox import Sandbox

pytestmark = pytest.mark.timeout(14400)

#: A command changes files several hundred times, most of them in the same few functions.
_FILES_IN_CI = 100


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("action", ["kill", "raise", "hang"])
def test_a_fault_at_any_call_of_a_port_is_mended_by_a_rerun(
    sandbox: Sandbox, scale: Scale, verb: str, action: str
) -> None:
    """G-02, R-06, R-08, L-01, L-16: killed there, failing there, or hanging until SIGTERM."""
    Trials(sandbox, scale, chosen(scale, verb), "ports").run(action)


@pytest.mark.parametrize("verb", VERBS)
def test_a_kill_at_any_change_of_a_file_is_mended_by_a_rerun(
    sandbox: Sandbox, scale: Scale, verb: str
) -> None:
    """G-02, R-07, M5: before and after each replace, unlink, mkdir, fsync and the like."""
    trials = Trials(sandbox, scale, chosen(scale, verb), "files")
    trials.run("kill", most=scale.most_in_ci(_FILES_IN_CI))
