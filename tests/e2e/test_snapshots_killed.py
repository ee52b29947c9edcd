"""Real saves, restores and clones that are killed anywhere: the same command again converges."""

import json
import os
import time
from collections.abc import Callable

import pytest

from tests.e2e.killing import any_dice
from tests.e2e.people import User, verified

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="twenty kills take an hour without KVM; BOOTSTRAP_E2E=all runs them",
    ),
]

Inventory = Callable[[], dict[str, object]]
_COMMANDS = {
    "save": ("snapshot", "save", "{cluster}", "again"),
    "restore": ("snapshot", "restore", "{cluster}", "ready"),
    # The last ones, since the original is suspended from then on, for a host of two cores.
    "clone": ("up", "{cluster}-twin", "--from", "{cluster}/ready"),
}
_UNDO = {
    "save": ("snapshot", "delete", "{cluster}", "again"),
    "restore": ("status", "{cluster}"),
    "clone": ("down", "{cluster}-twin"),
}
_KILLS = [(what, number) for what in _COMMANDS for number in range(1, 8)][:20]
#: Of the fewest seconds that the command took when it was not killed, so that each kill hits it.
_LATEST = 0.6


def _words(command: tuple[str, ...], cluster: str) -> list[str]:
    return [word.format(cluster=cluster) for word in command]


@pytest.fixture(scope="module")
def before(inventory: Inventory) -> dict[str, object]:
    return inventory()


class Moments:
    """Chooses when to kill each command, by how long it took when it was not killed."""

    def __init__(self) -> None:
        self.taken_s: dict[str, float] = {}
        self._dice = any_dice()

    def note(self, what: str, began: float) -> None:
        taken_s = time.monotonic() - began
        self.taken_s[what] = min(taken_s, self.taken_s.get(what, taken_s))

    def any_of(self, what: str) -> float:
        delay_s = self._dice.uniform(0, _LATEST * self.taken_s[what])
        print(f"killed after {delay_s:.1f} s of {self.taken_s[what]:.1f}")  # noqa: T201
        return delay_s


@pytest.fixture(scope="module")
def moments() -> Moments:
    return Moments()


def test_a_verified_cluster_is_saved(before: dict[str, object], user: User, cluster: str) -> None:
    assert cluster not in str(before["domains"])
    verified(user, "up", cluster, "--workers", "1")
    verified(user, "snapshot", "save", cluster, "ready")


@pytest.mark.parametrize(("what", "number"), _KILLS)
def test_the_same_command_converges_after_a_kill(
    what: str, number: int, user: User, cluster: str, moments: Moments
) -> None:
    """G-01, R-06 of snapshots, with nodes that run Kubernetes."""
    if what == "clone":
        user.succeed("suspend", cluster)
    words, undo = _words(_COMMANDS[what], cluster), _words(_UNDO[what], cluster)
    if number == 1:
        began = time.monotonic()
        verified(user, *words)
        moments.note(what, began)
        user.succeed(*undo)
    user.killed(*words, at="", delay_s=moments.any_of(what))
    began = time.monotonic()
    again = user.run(*words, "-o", "json")
    if what == "save" and "There is a snapshot" in again.stderr:
        # The kill met what follows a whole save: the proof that the cluster goes on.
        again = user.run("up", cluster, "-o", "json")
    else:
        moments.note(what, began)
    assert again.exit_code == 0, again.stderr
    assert json.loads(again.stdout)["verified"]
    user.succeed(*undo)


def test_the_original_goes_on_and_down_leaves_nothing(
    before: dict[str, object], user: User, cluster: str, inventory: Inventory
) -> None:
    verified(user, "resume", cluster)
    assert json.loads(user.succeed("list", "-o", "json"))[0]["name"] == cluster
    user.succeed("snapshot", "prune", cluster, "--keep", "0")
    user.succeed("down", cluster)
    after = inventory()
    del after["kubeconfig"], before["kubeconfig"]
    assert after == before
