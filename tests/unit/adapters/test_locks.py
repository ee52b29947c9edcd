"""Locks that a killed process lets go of, and that say who holds them."""

import contextlib
import fcntl
import json
import multiprocessing
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from bootstrap.adapters.locks import locked
from bootstrap.errors import LockedError

fork = multiprocessing.get_context("fork")
WRITERS, ROUNDS = 4, 25


def hold(path: Path, held: Event, end: int) -> None:
    with locked(path, what="cluster 'demo'"):
        held.set()
        os.read(end, 1)


@contextlib.contextmanager
def holder(path: Path) -> Iterator[int]:
    """Hold the lock in another process; gives its pid."""
    held, (reader, writer) = fork.Event(), os.pipe()
    process = fork.Process(target=hold, args=(path, held, reader))
    process.start()
    try:
        assert held.wait(20)
        assert process.pid is not None
        yield process.pid
    finally:
        process.kill()
        process.join()
        os.close(reader)
        os.close(writer)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "demo.lock"


def refusal(path: Path) -> LockedError:
    with pytest.raises(LockedError) as caught, locked(path, what="cluster 'demo'"):
        pass
    return caught.value


def test_a_lock_is_free_again_afterwards(path: Path) -> None:
    for _ in range(2):
        with locked(path, what="x"):
            pass


def test_a_lock_is_free_again_after_an_error(path: Path) -> None:
    with pytest.raises(ValueError, match="x"), locked(path, what="x"):
        raise ValueError("x")
    with locked(path, what="x"):
        pass


def test_another_process_is_told_who_holds_the_lock(path: Path) -> None:
    """R-01."""
    with holder(path) as pid:
        error = refusal(path)
    assert error.message == "Another run works on cluster 'demo'."
    assert re.fullmatch(rf"pid {pid} \(.+, \d+ s\) holds the lock", error.details)
    assert error.exit_code == 4


def test_a_stopped_holder_is_told(path: Path) -> None:
    """R-10."""
    with holder(path) as pid:
        os.kill(pid, signal.SIGSTOP)
        _until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        assert refusal(path).details.endswith("it is stopped: T (stopped)")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": "x", "since": 1}', "\xff"])
def test_a_damaged_note_does_not_hide_the_lock(path: Path, text: str) -> None:
    """G-06."""
    with holder(path):
        path.with_suffix(".holder").write_bytes(text.encode("latin-1"))
        assert refusal(path).details == "its holder is not known"


def test_a_killed_holder_holds_nothing(path: Path) -> None:
    """R-03, M6."""
    with holder(path) as pid:
        os.kill(pid, signal.SIGKILL)
        with locked(path, what="x", timeout_s=20):
            pass


@pytest.mark.runs_programs
def test_a_child_that_outlives_the_holder_does_not_keep_the_lock(path: Path) -> None:
    """R-05, M6: the descriptor is not inherited."""
    with locked(path, what="x"):
        child = subprocess.Popen(["/bin/sleep", "60"], close_fds=False)
    try:
        assert str(path) not in _open_files(child.pid)
        with locked(path, what="x"):
            pass
    finally:
        child.kill()
        child.wait()


def test_patience_is_rewarded(path: Path) -> None:
    held, (reader, writer) = fork.Event(), os.pipe()
    process = fork.Process(target=hold, args=(path, held, reader))
    process.start()
    assert held.wait(20)
    os.write(writer, b"x")
    with locked(path, what="x", timeout_s=20):
        pass
    process.join()
    assert process.exitcode == 0
    os.close(reader)
    os.close(writer)


def _count(path: Path, counter: Path) -> None:
    for _ in range(ROUNDS):
        with locked(path, what="x", timeout_s=60):
            counter.write_text(str(int(counter.read_text()) + 1))


def test_only_one_works_at_a_time(path: Path, tmp_path: Path) -> None:
    """G-08, N-15."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    processes = [fork.Process(target=_count, args=(path, counter)) for _ in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert int(counter.read_text()) == WRITERS * ROUNDS


def test_the_lock_and_its_note_are_private_and_go_with_it(path: Path) -> None:
    umask = os.umask(0)
    try:
        with locked(path, what="x"):
            files = {item.name: item.stat().st_mode & 0o777 for item in path.parent.iterdir()}
            holder = json.loads(path.with_suffix(".holder").read_text())
    finally:
        os.umask(umask)
    assert files == {"demo.lock": 0o600, "demo.holder": 0o600}
    assert holder["pid"] == os.getpid()
    assert list(path.parent.iterdir()) == []


def test_what_a_killed_holder_left_goes_with_the_next_one(path: Path) -> None:
    with holder(path) as pid:
        os.kill(pid, signal.SIGKILL)
        with locked(path, what="x", timeout_s=20):
            pass
    assert list(path.parent.iterdir()) == []


def test_a_lock_that_was_removed_after_it_was_opened_is_not_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder removes it between the opening and the locking by another."""
    flock = fcntl.flock
    removed: list[Path] = []

    def late(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(path)
            path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(path, what="x"):
        assert path.exists()
        with pytest.raises(LockedError), locked(path, what="x"):
            pass
    assert removed == [path]


def _open_files(pid: int) -> set[str]:
    names = set()
    for item in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            names.add(str(item.readlink()))
    return names


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
