"""One fault after the other, at every point that a command passes, and what must follow."""

import os
import shutil
import signal
from collections.abc import Callable

import pytest

from tests.faults.conftest import Scale
from tests.faults.sandbox import DOCUMENTED, Ended, Sandbox

#: `BOOTSTRAP_FAULT_ONLY="17 kill"` repeats one trial of a test.
ONLY = os.environ.get("BOOTSTRAP_FAULT_ONLY")


def settled(sandbox: Sandbox) -> None:
    """Have the install id and the image there, so that every trial passes the same points."""
    if not (sandbox.root / "state" / "install-id").exists():
        sandbox.up()
        sandbox.down()


class Verb:
    """A command, what must be there before it, and what after."""

    def __init__(
        self,
        words: Callable[[Sandbox], list[str]],
        *,
        before: Callable[[Sandbox], object] = settled,
        after: Callable[[Sandbox], object],
    ) -> None:
        self.words, self.before, self.after = words, before, after


def _up(*words: str) -> Callable[[Sandbox], list[str]]:
    return lambda sandbox: ["up", sandbox.name, *words]


def _down(sandbox: Sandbox) -> list[str]:
    return ["down", sandbox.name]


def _prepared(sandbox: Sandbox) -> None:
    """Give `image prune` something to remove."""
    sandbox.up()
    directory = sandbox.root / "data" / "images" / "feedfeedfeedfeed"
    if sandbox.nodes() and not directory.exists():
        shutil.copytree(directory.with_name("0123456789abcdef"), directory)


def _pruned(sandbox: Sandbox) -> None:
    images = sandbox.root / "data" / "images"
    assert [path.name for path in images.iterdir()] == ["0123456789abcdef"]


def _used(sandbox: Sandbox) -> None:
    sandbox.assert_converged()
    text = sandbox.user_kubeconfig.read_text()
    assert f"current-context: bootstrap-{sandbox.name}" in text


UP = Verb(_up(), after=lambda sandbox: sandbox.assert_converged(1))
DOWN = Verb(
    _down, before=lambda sandbox: sandbox.up(), after=lambda sandbox: sandbox.assert_nothing()
)
VERBS = {
    "up": UP,
    "down": DOWN,
    "up from nothing": Verb(_up(), before=lambda sandbox: sandbox.forget_all(), after=UP.after),
    "up growing": Verb(
        _up("--workers", "2"),
        before=lambda sandbox: sandbox.up("--workers", "1"),
        after=lambda sandbox: sandbox.assert_converged(2),
    ),
    "up again": Verb(_up("--use"), before=lambda sandbox: sandbox.up(), after=_used),
    "down --all": Verb(lambda _: ["down", "--all"], before=DOWN.before, after=DOWN.after),
    "kubeconfig --use": Verb(
        lambda sandbox: ["kubeconfig", sandbox.name, "--use"], before=DOWN.before, after=_used
    ),
    "image prune": Verb(lambda _: ["image", "prune"], before=_prepared, after=_pruned),
}
VERBS_IN_CI = ("up", "down")


def chosen(scale: Scale, verb: str) -> Verb:
    if verb not in VERBS_IN_CI and not scale.is_long:
        pytest.skip("only in the long run (BOOTSTRAP_FAULT_SCALE=long)")
    return VERBS[verb]


class Trials:
    """One fault after the other, at each point that a first run without any passes."""

    def __init__(self, sandbox: Sandbox, scale: Scale, verb: Verb, kind: str) -> None:
        self._sandbox, self._scale, self._verb, self._kind = sandbox, scale, verb, kind

    def run(self, *actions: str) -> None:
        """Try every action at each point, or outside of the long run one by chance."""
        points = self._points()
        self._scale.count("points", len(points))
        failures = []
        for number, name in enumerate(points, start=1):
            by_chance = [self._sandbox.random.choice(actions)]
            for action in actions if self._scale.is_long or ONLY else by_chance:
                if ONLY in (None, f"{number} {action}"):
                    failures += self._failure(number, action, name)
        assert not failures, f"{len(failures)} of {len(points)}\n" + "\n\n".join(failures)

    def _failure(self, number: int, action: str, name: str) -> list[str]:
        try:
            self._try(number, action)
        except AssertionError as error:
            self._scale.count("failed")
            self._sandbox.start_over()
            return [f'BOOTSTRAP_FAULT_ONLY="{number} {action}"  {name}\n{error}']
        return []

    def _points(self) -> list[str]:
        record = self._sandbox.place / "out" / "points"
        self._verb.before(self._sandbox)
        ended = self._sandbox.run(*self._words, kind=self._kind, record=str(record))
        assert ended.exit_code == 0, str(ended)
        self._verb.after(self._sandbox)
        self._sandbox.down()
        points = [line.partition(" ")[2] for line in record.read_text().splitlines()]
        assert len(points) > 1, "nothing was wrapped"
        return points

    @property
    def _words(self) -> list[str]:
        return self._verb.words(self._sandbox)

    def _try(self, number: int, action: str) -> None:
        self._verb.before(self._sandbox)
        ended = self._faulted(number, action)
        self._scale.count({0: "ended well"}.get(ended.exit_code, f"exit {ended.exit_code}"))
        if ended.exit_code == 0:
            self._verb.after(self._sandbox)
        self._sandbox.assert_files_whole()
        # Who gives up says `down`, and must not have to finish first.
        if self._words[0] != "up" or self._sandbox.random.random() < 0.5:
            rerun = self._sandbox.run(*self._words)
            assert rerun.exit_code == 0, f"{ended}\nrerun: {rerun}"
            self._verb.after(self._sandbox)
            self._scale.count("rerun")
        self._sandbox.down()

    def _faulted(self, number: int, action: str) -> Ended:
        reached = self._sandbox.place / "out" / "reached"
        reached.unlink(missing_ok=True)
        running = self._sandbox.start(
            *self._words, kind=self._kind, at=number, action=action, reached=str(reached)
        )
        if action == "hang" and running.wait_for_file(reached):
            running.send(signal.SIGTERM)
        ended = running.end()
        assert reached.exists(), f"the point was not passed: {ended}"
        expected = {"kill": {-signal.SIGKILL}, "hang": {143}}.get(action, DOCUMENTED)
        assert ended.exit_code in expected, str(ended)
        assert "Traceback" not in ended.stderr + ended.stdout, str(ended)
        return ended
