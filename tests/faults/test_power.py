"""The power fails: a command and all machines end at one moment, and the next run mends it."""

import pytest

from tests.faults.conftest import Scale
from tests.faults.points import VERBS, Trials, chosen
from tests.faults.sandbox import Sandbox

pytestmark = pytest.mark.timeout(14400)

_MOMENTS = 5


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "image prune"])
def test_a_power_cut_within_a_command_is_mended_by_the_next(
    sandbox: Sandbox, scale: Scale, verb: str
) -> None:
    """G-02, R-06, D-07, D-09: `start`, `up` or the command itself finishes what was begun."""
    trials = Trials(sandbox, scale, chosen(scale, verb), "ports", is_power_cut=True)
    trials.run("kill", most=_MOMENTS)
