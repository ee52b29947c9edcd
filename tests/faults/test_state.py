"""Damaged, missing and newer files: told with 9 and kept, or rebuilt (R-15, G-06, L-03)."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.adapters.marker import MARKER
from tests.faults.conftest import Scale
from tests.faults.sandbox import DOCUMENTED, Ended, Sandbox

pytestmark = pytest.mark.timeout(14400)
NOT_OURS, STATE_DAMAGED = 7, 9


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff{[&*garbage\n\x80" * 9)


def _newer(path: Path) -> None:
    if path.suffix != ".json":
        path.write_text("version: 99\napiVersion: v99\n" + path.read_text())
        return
    path.write_text(json.dumps({"version": 99, "items": json.loads(path.read_text())}))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": _truncated,
    "emptied": _emptied,
    "garbage": _garbage,
    "newer": _newer,
    "deleted": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_of_ours_that_is_damaged_never_ends_in_a_traceback(
    sandbox: Sandbox, scale: Scale, damage: str
) -> None:
    """R-15, G-06, Z-09: `up` rebuilds it or says 9 and keeps it; `down` removes all."""
    failures = []
    sandbox.up()
    for relative in _files(sandbox):
        path = sandbox.root / relative
        try:
            if not sandbox.nodes():
                sandbox.up()
            _try(sandbox, scale, path, DAMAGES[damage])
        except AssertionError as error:
            scale.count("failed")
            failures.append(f"{damage} {relative}\n{error}")
            sandbox.start_over()
    sandbox.down()
    assert not failures, f"{len(failures)}\n" + "\n\n".join(failures)


def test_down_needs_no_local_state(sandbox: Sandbox) -> None:
    """L-03, Z-09: all products are gone, also the volumes; libvirt's marks are enough."""
    for lost in (sandbox.state, sandbox.volumes, sandbox.root / "state" / ".locks"):
        sandbox.up()
        shutil.rmtree(lost)
        for words in (("status", sandbox.name, "-o", "json"), ("list",)):
            assert sandbox.name in sandbox.done(*words).stdout
        sandbox.down()


def test_the_keys_of_a_half_made_cluster_may_be_lost(sandbox: Sandbox, scale: Scale) -> None:
    """L-02, L-03, R-06: killed after the seed was written; then the state is removed."""
    for number in range(1, 30):
        killed = sandbox.run("up", sandbox.name, kind="ports", at=number, action="kill")
        assert killed.exit_code < 0
        shutil.rmtree(sandbox.state, ignore_errors=True)
        ended = sandbox.run("up", sandbox.name)
        assert ended.exit_code in {0, STATE_DAMAGED}, str(ended)
        scale.count(f"exit {ended.exit_code}")
        if ended.exit_code == 0:
            sandbox.assert_converged(1)
        sandbox.down()


def _files(sandbox: Sandbox) -> list[str]:
    """List every file that a cluster has on this host, but for its disks and its guests.

    No command reads a log of runs, and each run has its own.
    """
    places = (sandbox.state, sandbox.volumes, sandbox.root / "state")
    found = {path for place in places for path in place.rglob("*") if path.is_file()}
    disks = {".qcow2", ".iso"}
    return sorted(
        path.relative_to(sandbox.root).as_posix()
        for path in found
        if path.suffix not in disks
        and path.parent.name != "runs"
        and not path.name.startswith("guest.json")
    )


def _try(sandbox: Sandbox, scale: Scale, path: Path, damage: Callable[[Path], None]) -> None:
    whole = path.read_bytes()
    damage(path)
    damaged = path.read_bytes() if path.exists() else None
    for words in (("status", sandbox.name), ("list",), ("kubeconfig", sandbox.name)):
        _assert_told(sandbox.run(*words))
    up = sandbox.run("up", sandbox.name)
    _assert_told(up)
    scale.count(f"up {up.exit_code}")
    if up.exit_code == 0:
        sandbox.assert_converged(1)
    elif damaged is not None:
        assert path.read_bytes() == damaged, f"it was not kept\n{up}"
    if path.name == "install-id" or (path.name == MARKER and damage is _newer):
        # Nothing else tells that it is ours and not another user's (SEC-27).
        down = sandbox.run("down", sandbox.name)
        assert down.exit_code in {0, NOT_OURS, STATE_DAMAGED}, str(down)
        if path.parent.is_dir():
            path.write_bytes(whole)
    sandbox.down()


def _assert_told(ended: Ended) -> None:
    assert ended.exit_code in DOCUMENTED, str(ended)
    assert "Traceback" not in ended.stderr, str(ended)
    if ended.exit_code != 0:
        assert "error: " in ended.stderr
        assert "hint: " in ended.stderr
