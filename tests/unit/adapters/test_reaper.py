"""The program between us and another one: how it ends, and that no process is left (R-05, R-09)."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from bootstrap.adapters.reaper import TIMED_OUT, descendants, reaped
from tests.processes import PATIENCE_S, has_ended, until

pytestmark = pytest.mark.runs_programs
#: Starts one in the background, as ssh does with a shared connection; it notes its number.
_LEAVE_ONE = "setsid sh -c 'echo $$ > {note}.new; mv {note}.new {note}; exec sleep 60' &"


def leave_one(note: Path) -> str:
    return _LEAVE_ONE.format(note=note)


def noted(note: Path) -> psutil.Process:
    """Return the process that has written its number."""
    until(note.exists)
    return psutil.Process(int(note.read_text()))


def shell(script: str, *, timeout_s: float = 0) -> int:
    command = reaped(["/bin/sh", "-c", script], timeout_s=timeout_s)
    return subprocess.run(command, check=False).returncode


@pytest.mark.parametrize(
    ("script", "exit_code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)]
)
def test_it_ends_as_the_program_does(script: str, exit_code: int) -> None:
    assert shell(script) == exit_code


def test_input_and_output_are_the_programs() -> None:
    done = subprocess.run(
        reaped(["/bin/sh", "-c", "cat; echo err >&2"]), input=b"in", capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"in", b"err\n")


def test_who_is_left_in_the_background_ends_with_the_program(tmp_path: Path) -> None:
    """S-06: a session of its own and a dead parent do not hide it."""
    note = tmp_path / "note"
    script = f"{leave_one(note)} until [ -e {note} ]; do sleep 0.01; done"
    assert shell(script) == 0
    assert not psutil.pid_exists(int(note.read_text()))


def test_a_program_without_end_is_timed_out(tmp_path: Path) -> None:
    """A-01, G-16."""
    note = tmp_path / "note"
    assert shell(f"{leave_one(note)} sleep 60", timeout_s=0.5) == TIMED_OUT
    assert not (note.exists() and psutil.pid_exists(int(note.read_text())))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_of_it_also_where_ours_are_ignored(
    number: signal.Signals, tmp_path: Path
) -> None:
    """R-09: a caller that is itself in the background ignores some of them."""
    note = tmp_path / "note"
    ignored = signal.signal(number, signal.SIG_IGN)
    try:
        reaper = subprocess.Popen(reaped(["/bin/sh", "-c", f"{leave_one(note)} sleep 60"]))
    finally:
        signal.signal(number, ignored)
    left = noted(note)
    reaper.send_signal(number)
    assert reaper.wait(PATIENCE_S) == 128 + number
    assert has_ended(left)


def test_the_program_receives_the_signals_that_the_reaper_blocks() -> None:
    """A mask is inherited, and the reaper's own holds the very signals that end programs."""
    assert shell("kill -TERM $$; exit 3") == 128 + signal.SIGTERM


_PARENT = """
import subprocess, sys
from pathlib import Path
from bootstrap.adapters.reaper import reaped
place, script = sys.argv[1:]
subprocess.run(reaped(['/bin/sh', '-c', script], place=Path(place)))
"""


def _parent(place: Path, script: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", _PARENT, str(place), script])


def test_all_of_it_ends_when_we_are_killed_and_its_directory_goes(tmp_path: Path) -> None:
    """R-05, R-09, A-10: no process can catch a SIGKILL."""
    place, note = tmp_path / "place", tmp_path / "note"
    (place / "within").mkdir(parents=True)
    parent = _parent(place, f"{leave_one(note)} sleep 60")
    left = noted(note)
    family = [psutil.Process(pid) for pid in descendants(parent.pid)]
    assert left in family
    parent.kill()
    parent.wait()
    until(lambda: all(has_ended(process) for process in family))
    until(lambda: not place.exists())


def test_its_directory_stays_while_we_live(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    assert _parent(place, "exit 0").wait(PATIENCE_S) == 0
    assert place.exists()


def test_one_whose_parent_has_gone_already_starts_nothing(tmp_path: Path) -> None:
    command = reaped(["/bin/sh", "-c", f"touch {tmp_path}/ran"])
    not_ours = str(os.getppid())
    assert subprocess.run(_as_if_of(not_ours, command), check=False).returncode == 1
    assert not (tmp_path / "ran").exists()


def _as_if_of(parent: str, command: Sequence[str]) -> list[str]:
    at = command.index(str(os.getpid()))
    return [*command[:at], parent, *command[at + 1 :]]


def test_a_program_that_does_not_start_is_reported() -> None:
    """A-11."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as report:
        reaper = subprocess.Popen(reaped(["/no/such"], report=writing), pass_fds=[writing])
        os.close(writing)
        assert os.strerror(int(report.read())) == "No such file or directory"
    assert reaper.wait(PATIENCE_S) == 1


def test_a_program_that_starts_reports_nothing_and_has_no_descriptor_of_ours() -> None:
    reading, writing = os.pipe()
    listing = ["/bin/sh", "-c", "ls /proc/self/fd | wc -w; sleep 60"]
    with os.fdopen(reading) as report:
        reaper = subprocess.Popen(
            reaped(listing, report=writing), pass_fds=[writing], stdout=subprocess.PIPE
        )
        os.close(writing)
        # Would wait for the sleeping one, had it the other end.
        assert report.read() == ""
    assert reaper.stdout is not None
    # Three, and the one by which it looks.
    assert reaper.stdout.readline() == b"4\n"
    reaper.terminate()
    reaper.wait(PATIENCE_S)
    reaper.stdout.close()


def test_a_name_that_looks_like_the_rest_of_a_line_is_a_name(tmp_path: Path) -> None:
    program = tmp_path / ") S 1 1 ("
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "60"])
    try:
        until(lambda: psutil.Process(child.pid).name() == program.name)
        assert child.pid in descendants(os.getpid())
    finally:
        child.kill()
        child.wait()
