"""SIGKILL at random moments of a save, a restore and a clone, with real QEMU.

The machines' guests do nothing at all; their memory is saved and read all the same.
"""

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from tests.faults.conftest import Scale
from tests.faults.daemon import Daemon as Keeper
from tests.faults.libvirt.daemon import NOBODY, Daemon, private_daemon
from tests.faults.sandbox import Sandbox

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(28800)]

#: No command takes as long, on a host that is busy; what takes this long hangs.
DEADLINE_S = 300.0


@pytest.fixture(scope="module")
def machines() -> Iterator[Daemon]:
    with private_daemon(pytest.skip) as running:
        yield running


@pytest.fixture
def user(machines: Daemon, nursery: str, seeded: random.Random) -> Iterator[Sandbox]:
    """Make an ordinary user of real machines; afterwards nothing of it is left."""
    keeper = libvirt.open(machines.uri)
    place = Path(tempfile.mkdtemp(prefix="u", dir=machines.place))
    place.chmod(0o711)
    made = Sandbox(
        place,
        Keeper(machines.uri, keeper),
        nursery,
        seeded,
        user=NOBODY if os.getuid() == 0 else None,
    )
    try:
        yield made
        made.assert_sound()
    finally:
        left = made.remove_leftovers()
        keeper.close()
    assert left == []
    assert machines.emulators() == []


def finished(user: Sandbox, *words: str) -> None:
    ended = user.start(*words).end(deadline_s=DEADLINE_S)
    assert ended.exit_code == 0, str(ended)


class Killed:
    """Kills commands at random moments of their time, which it learns."""

    def __init__(self, user: Sandbox, scale: Scale) -> None:
        self._user, self._scale = user, scale
        self._seconds: dict[str, float] = {}

    def __call__(self, what: str, *words: str) -> None:
        seconds = self._seconds.setdefault(what, 4.0)
        running = self._user.start(*words)
        time.sleep(self._user.random.uniform(0, seconds))
        running.send(signal.SIGKILL)
        ended = running.end(deadline_s=DEADLINE_S)
        assert ended.exit_code in {0, -signal.SIGKILL}, str(ended)
        is_midway = ended.exit_code != 0
        self._seconds[what] *= 1.05 if is_midway else 0.85
        self._scale.count(f"{what} killed midway", is_midway)
        self._user.assert_files_whole()


def test_a_killed_save_restore_or_clone_is_finished_by_the_next_command(
    user: Sandbox, scale: Scale
) -> None:
    """G-01, R-06: 1 round of four kills; 50 in the long run."""
    original, clone = user.original, user.name
    saved = f"{original}/ready"
    killed = Killed(user, scale)
    finished(user, "up", original)
    for _ in range(scale.choose(ci=1, long=50)):
        killed("save", "snapshot", "save", original, "ready")
        if user.run("snapshot", "show", saved).exit_code != 0:
            finished(user, "snapshot", "save", original, "ready")
        killed("restore", "snapshot", "restore", original, "ready")
        finished(user, "snapshot", "restore", original, "ready")
        killed("clone", "up", clone, "--from", saved)
        if user.random.random() < 0.5:
            finished(user, "up", clone, "--from", saved)
            user.assert_converged(1)
        finished(user, "down", clone)
        killed("delete", "snapshot", "delete", original, "ready")
        finished(user, "snapshot", "prune", original, "--keep", "0")
        snapshots = user.root / "data" / "snapshots" / original
        assert [path.name for path in snapshots.glob("*/*")] == []
        scale.count("rounds")
    finished(user, "down", original, "--with-snapshots")
    user.assert_nothing()
