"""One fault after the other, at every point that a command passes, and what must follow."""

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import libvirt
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
        again: Callable[[Sandbox], list[str]] | None = None,
        wakes: bool = True,
    ) -> None:
        self.words, self.before, self.after = words, before, after
        #: What finishes a run that was broken off.
        self.again = again or words
        #: Whether that run also finishes it on machines that have lost their power.
        self.wakes = wakes


def _of_it(verb: str, *words: str) -> Callable[[Sandbox], list[str]]:
    """Return a command about the sandbox's cluster."""
    return lambda sandbox: [verb, sandbox.name, *words]


_up = partial(_of_it, "up")


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


def _remove_again(sandbox: Sandbox) -> list[str]:
    """Name the node once more as long as the cluster has it, as the switch's mark tells."""
    switch = sandbox.domains()[f"{sandbox.name}-switch"]
    # One that runs shows the mark that it was started with.
    is_known = "worker2" in switch.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    return ["node", "remove", sandbox.name, "worker2"] if is_known else ["up", sandbox.name]


def _made_and(verb: str) -> Callable[[Sandbox], None]:
    """Have a cluster after another command."""

    def prepare(sandbox: Sandbox) -> None:
        sandbox.up()
        sandbox.done(verb, sandbox.name)

    return prepare


def _all_are(state: int) -> Callable[[Sandbox], None]:
    def check(sandbox: Sandbox) -> None:
        domains = sandbox.domains()
        found = {domains[f"{sandbox.name}-{node}"].state()[0] for node in sandbox.nodes()}
        assert found == {state}

    return check


def _snapshots(sandbox: Sandbox) -> Path:
    return sandbox.root / "data" / "snapshots" / sandbox.name


def _has_snapshot(sandbox: Sandbox) -> bool:
    return (_snapshots(sandbox) / "ready").is_dir()


def _with_snapshot(sandbox: Sandbox) -> None:
    """Have a cluster and a snapshot of it."""
    sandbox.up()
    if not _has_snapshot(sandbox):
        sandbox.done(*_SAVE(sandbox))


def _only_snapshot(sandbox: Sandbox) -> None:
    """Have a snapshot of another cluster, which is gone."""
    sandbox.done("up", sandbox.original)
    sandbox.done("snapshot", "save", sandbox.original, "ready")
    sandbox.done("down", sandbox.original)


def _saved(sandbox: Sandbox) -> None:
    """See one whole snapshot, and that the cluster goes on."""
    sandbox.assert_converged(1)
    found = sorted(path.name for path in _snapshots(sandbox).iterdir())
    assert found == ["bootstrap-cluster.json", "ready"]
    sandbox.done("snapshot", "restore", sandbox.name, "ready")


def _unsaved(sandbox: Sandbox) -> None:
    sandbox.assert_converged(1)
    assert not _has_snapshot(sandbox)


_SAVE = partial(lambda sandbox: ["snapshot", "save", sandbox.name, "ready"])
UP = Verb(_up(), after=lambda sandbox: sandbox.assert_converged(1))
DOWN = Verb(
    _of_it("down"),
    before=lambda sandbox: sandbox.up(),
    after=lambda sandbox: sandbox.assert_nothing(),
)
START = Verb(_of_it("start"), before=_made_and("stop"), after=UP.after)
VERBS = {
    "up": UP,
    "down": DOWN,
    "up from nothing": Verb(_up(), before=lambda sandbox: sandbox.forget_all(), after=UP.after),
    "up growing": Verb(
        _up("--workers", "2"),
        before=lambda sandbox: sandbox.up("--workers", "1"),
        after=lambda sandbox: sandbox.assert_converged(2),
    ),
    "up shrinking": Verb(
        _up("--workers", "1", "--remove"),
        before=lambda sandbox: sandbox.up("--workers", "2"),
        after=lambda sandbox: sandbox.assert_converged(1),
        wakes=False,
    ),
    "node add": Verb(
        lambda sandbox: ["node", "add", sandbox.name, "--allow-overcommit"],
        before=lambda sandbox: sandbox.up("--workers", "1"),
        after=lambda sandbox: sandbox.assert_converged(2),
        again=_up("--workers", "2"),
    ),
    "node remove": Verb(
        lambda sandbox: ["node", "remove", sandbox.name, "worker2"],
        before=lambda sandbox: sandbox.up("--workers", "2"),
        after=lambda sandbox: sandbox.assert_converged(1),
        again=_remove_again,
        wakes=False,
    ),
    "node replace": Verb(
        lambda sandbox: ["node", "replace", sandbox.name, "worker", "--allow-overcommit"],
        before=lambda sandbox: sandbox.up("--workers", "2"),
        after=lambda sandbox: sandbox.assert_converged(2),
        wakes=False,
    ),
    "stop": Verb(_of_it("stop"), before=DOWN.before, after=_all_are(libvirt.VIR_DOMAIN_SHUTOFF)),
    "start": START,
    "reboot": Verb(_of_it("reboot"), before=DOWN.before, after=UP.after),
    "suspend": Verb(
        _of_it("suspend"),
        before=DOWN.before,
        after=_all_are(libvirt.VIR_DOMAIN_PAUSED),
        wakes=False,
    ),
    "resume": Verb(_of_it("resume"), before=_made_and("suspend"), after=UP.after, wakes=False),
    "snapshot save": Verb(
        _SAVE,
        before=DOWN.before,
        after=_saved,
        # What was saved is there; what came after it is finished as ever.
        again=lambda sandbox: (_up() if _has_snapshot(sandbox) else _SAVE)(sandbox),
        wakes=False,
    ),
    "snapshot restore": Verb(
        lambda sandbox: ["snapshot", "restore", sandbox.name, "ready"],
        before=_with_snapshot,
        after=UP.after,
    ),
    "up --from": Verb(
        lambda sandbox: ["up", sandbox.name, "--from", f"{sandbox.original}/ready"],
        before=_only_snapshot,
        after=UP.after,
    ),
    "snapshot delete": Verb(
        lambda sandbox: ["snapshot", "prune", sandbox.name, "--keep", "0"],
        before=_with_snapshot,
        after=_unsaved,
        wakes=False,
    ),
    "up again": Verb(_up("--use"), before=lambda sandbox: sandbox.up(), after=_used),
    "down --all": Verb(lambda _: ["down", "--all"], before=DOWN.before, after=DOWN.after),
    "kubeconfig --use": Verb(
        _of_it("kubeconfig", "--use"),
        before=DOWN.before,
        after=_used,
        wakes=False,
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

    def __init__(
        self, sandbox: Sandbox, scale: Scale, verb: Verb, kind: str, *, is_power_cut: bool = False
    ) -> None:
        self._sandbox, self._scale, self._verb, self._kind = sandbox, scale, verb, kind
        #: Whether the machines end at the same moment as the command.
        self._is_power_cut = is_power_cut

    def run(self, *actions: str, most: int | None = None) -> None:
        """Try every action at each point, or outside of the long run one by chance.

        ``most`` points of them are tried, by chance.
        """
        points = self._points()
        self._scale.count("points", len(points))
        failures = []
        numbered = list(enumerate(points, start=1))
        if most is not None and not ONLY:
            numbered = self._sandbox.random.sample(numbered, min(most, len(numbered)))
            self._scale.count("of them tried", len(numbered))
        for number, name in numbered:
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
        if self._is_power_cut:
            self._recover(ended)
        elif ended.exit_code == 0:
            self._verb.after(self._sandbox)
        self._sandbox.assert_files_whole()
        # Who gives up says `down`, and must not have to finish first.
        if self._words[0] not in {"up", "node"} or self._sandbox.random.random() < 0.5:
            rerun = self._sandbox.run(*self._verb.again(self._sandbox))
            assert rerun.exit_code == 0, f"{ended}\nrerun: {rerun}"
            self._verb.after(self._sandbox)
            self._scale.count("rerun")
        self._sandbox.down()

    def _recover(self, ended: Ended) -> None:
        """Take the machines' power, and have the next run bring back what must be there."""
        self._scale.count("machines that lost their power", self._sandbox.cut_power())
        if not self._verb.wakes:
            started = self._sandbox.run(*START.words(self._sandbox))
            assert started.exit_code == 0, f"{ended}\nafter a power cut: {started}"
            self._sandbox.assert_converged()
        rerun = self._sandbox.run(*self._verb.again(self._sandbox))
        assert rerun.exit_code == 0, f"{ended}\nafter a power cut: {rerun}"
        self._verb.after(self._sandbox)

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
