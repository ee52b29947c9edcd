"""A host that sleeps: its machines stand still and go on, and no command notices (design 9a)."""

import os
import time

import pytest

from tests.e2e.people import User

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
#: Has libvirt suspend or resume the domains. Then the guests' own time stands still, as on a host
#: that sleeps; with a SIGSTOP for QEMU it goes on.
CHANGE_ALL = """
import libvirt, sys
uri, change, *names = sys.argv[1:]
connection = libvirt.open(uri)
for name in names:
    getattr(connection.lookupByName(name), change)()
"""


@pytest.fixture(scope="module")
def cluster(user: User, cluster: str) -> str:
    user.succeed("up", cluster, "--workers", "1")
    return cluster


def change_machines(user: User, cluster: str, change: str) -> None:
    machines = [f"{cluster}-{part}" for part in ("control-plane", "worker", "switch")]
    done = user.other(user.python, "-c", CHANGE_ALL, user.hypervisor_uri, change, *machines)
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize("seconds", DURATIONS_S, ids=lambda seconds: f"{seconds:.0f} s")
def test_a_cluster_whose_host_slept_is_verified_by_up(
    user: User, cluster: str, seconds: float
) -> None:
    """D-03: the nodes' clocks are right before any command sets them, and `up` verifies."""
    change_machines(user, cluster, "suspend")
    time.sleep(seconds)
    change_machines(user, cluster, "resume")
    for node in ("control-plane", "worker"):
        now = user.succeed("ssh", cluster, node, "--", "date", "+%s")
        assert abs(int(now) - time.time()) < 10
    user.succeed("up", cluster)
