"""The PlaybookRunner port, killed: of Ansible and what it has started, nothing goes on.

Ansible's workers have sessions of their own, and it has to ignore the end of its
terminal; so a run that was killed once went on with its playbook beside the next one.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bootstrap.cancelling import Cancelled, CancelToken, cancelled_by
from tests.contract.test_playbook_runner import Site, shell
from tests.processes import PATIENCE_S, has_ended, name_of, until

_RUN = """
import sys
from pathlib import Path
from bootstrap.cli.signals import end_on_signals
from tests.contract.test_playbook_runner import Site, shell

place = Path(sys.argv[1])
site = Site(place)
end_on_signals()
# A part of it in the background, as a shared SSH connection is.
background = f"setsid sh -c 'touch {place}/$$.begun; sleep 300' > /dev/null 2>&1 &"
site.play(shell("Work", f"{background} wait"))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path


@pytest.fixture
def playing(place: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A run whose task has begun on all three nodes."""
    running = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(place)],
        # As a job of a shell's; the guard of every test looks for children only.
        start_new_session=True,
    )
    until(lambda: len(list(place.glob("*.begun"))) == 3)
    yield running
    running.kill()
    running.wait()


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [
        (signal.SIGKILL, -9),
        (signal.SIGTERM, 143),
        (signal.SIGINT, 130),
        (signal.SIGHUP, 129),
    ],
)
def test_a_signal_ends_ansible_and_all_that_it_has_started(
    place: Path, playing: "subprocess.Popen[bytes]", number: signal.Signals, exit_code: int
) -> None:
    """G-04, R-05, R-09, A-10, S-06."""
    whole = family(psutil.Process(playing.pid))
    assert {int(note.stem) for note in place.glob("*.begun")} <= {it.pid for it in whole}
    assert sum(name_of(it).startswith("ansible") for it in whole) > 3
    os.kill(playing.pid, number)
    assert playing.wait(PATIENCE_S) == exit_code
    until(lambda: all(has_ended(process) for process in whole))
    until(lambda: not list(place.glob("bs-*")))
    # Modules unpack themselves, and these had no time to clean up.
    assert list((place / "temporary").iterdir()) == []


def test_a_run_that_another_thread_cancels_ends_with_all_that_it_has_started(place: Path) -> None:
    token = CancelToken()

    def play() -> None:
        with cancelled_by(token):
            Site(place).play(shell("Work", f"touch {place}/$$.begun; sleep 300"))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(play)
        until(lambda: len(list(place.glob("*.begun"))) == 3)
        begun = [psutil.Process(int(note.stem)) for note in place.glob("*.begun")]
        token.cancel()
        assert isinstance(running.exception(PATIENCE_S), Cancelled)
    assert all(has_ended(process) for process in begun)
    assert not list(place.glob("bs-*"))
