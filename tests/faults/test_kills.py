"""SIGKILL at any moment: a rerun converges, and `down` leaves nothing (G-01, G-03)."""

import signal
import time

import pytest

from tests.faults.conftest import Scale
from tests.faults.sandbox import Sandbox

pytestmark = pytest.mark.timeout(14400)


def test_a_killed_up_or_down_is_finished_by_the_next(sandbox: Sandbox, scale: Scale) -> None:
    """G-01, G-03, L-01, L-09, L-12, R-06, M4, M5, M6: 40 rounds, 3,000 in the long run."""
    durations = _durations(sandbox)
    for number in range(scale.choose(ci=40, long=3000)):
        if number % 5 == 0:
            sandbox.forget_all()
        scale.count("rounds")
        scale.count("up killed midway", _killed(sandbox, "up", durations))
        sandbox.up()
        scale.count("down killed midway", _killed(sandbox, "down", durations))
        sandbox.down()


def test_a_killed_up_is_removed_by_down_alone(sandbox: Sandbox, scale: Scale) -> None:
    """L-02, Z-09, G-01: whatever was made so far, and without any local state."""
    durations = _durations(sandbox)
    for _ in range(scale.choose(ci=20, long=1000)):
        scale.count("rounds")
        scale.count("up killed midway", _killed(sandbox, "up", durations))
        sandbox.down()


def _durations(sandbox: Sandbox) -> dict[str, float]:
    return dict(zip(("up", "down"), sandbox.durations(), strict=True))


def _killed(sandbox: Sandbox, verb: str, durations: dict[str, float]) -> bool:
    """Kill a command at a random moment; tell whether it was still at work.

    The seconds that it takes follow the host's load: three of four are to be at work.
    """
    running = sandbox.start(verb, sandbox.name)
    time.sleep(sandbox.random.uniform(0, durations[verb]))
    running.send(signal.SIGKILL)
    ended = running.end()
    assert ended.exit_code in {0, -signal.SIGKILL}, str(ended)
    is_midway = ended.exit_code != 0
    durations[verb] *= 1.03 if is_midway else 0.91
    return is_midway
