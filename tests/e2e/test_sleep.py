"""A host that sleeps: its machines stand still and go on, without a word to anybody (design 9a)."""

import os
import time

import pytest

from tests.e2e.people import GUESTS, User

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="a second cluster, and an hour of sleep; BOOTSTRAP_E2E=all makes it",
    ),
]

_SLEEPS, _SHORTEST_S, _LONGEST_S = 20, 1.0, 600.0
#: From the shortest to the longest, each by the same factor longer.
DURATIONS_S = [
    _SHORTEST_S * (_LONGEST_S / _SHORTEST_S) ** (number / (_SLEEPS - 1))
    for number in range(_SLEEPS)
]


@pytest.fixture(scope="module")
def cluster(user: User, cluster: str) -> str:
    user.succeed("up", cluster, "--workers", "1")
    return cluster


@pytest.mark.parametrize("seconds", DURATIONS_S, ids=lambda seconds: f"{seconds:.0f} s")
def test_a_cluster_whose_host_slept_is_verified_by_up(
    user: User, cluster: str, seconds: float
) -> None:
    """D-03: the nodes' clocks are right before any command sets them, and `up` verifies."""
    machines = user.processes(GUESTS)
    assert len(machines) == 3
    for machine in machines:
        machine.suspend()
    time.sleep(seconds)
    for machine in machines:
        machine.resume()
    for node in ("control-plane", "worker"):
        now = user.succeed("ssh", cluster, node, "--", "date", "+%s")
        assert abs(int(now) - time.time()) < 10
    user.succeed("up", cluster)
