"""The live view of a real process on a pseudo-terminal: beside forks, and ended by signals."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.terminal import FakeTerminal

#: Runs programs as adapters do while the view draws all the time; FOREVER until it is ended.
PROGRAM = """
import sys
from bootstrap.adapters.events.live import view
from bootstrap.adapters.process import run, stream
from bootstrap.cli.group import cli
from bootstrap.cli.signals import end_on_signals, restore_signals
from bootstrap.composition import Composition
from bootstrap.console import show_error
from bootstrap.errors import HostError
from bootstrap.model.events import Step
from pathlib import Path

view._INTERVAL_S = 0.001
count, log = int(sys.argv[1]), Path(sys.argv[2])
end_on_signals()
try:
    with Composition().open_terminal_events("bootstrap up") as events:
        with events.step(Step.BOOT, "Booting the nodes"):
            for number in range(count):
                events.node("worker", f"round {number}")
                run(["true"], action="run", timeout_s=60)
                stream(["echo", "x"], action="run", log=log, line=lambda _: None)
            if sys.argv[3:] == ["fail"]:
                raise HostError("No disk.")
except HostError as error:
    show_error(error)
    sys.exit(error.exit_code)
finally:
    restore_signals()
"""


@pytest.fixture
def terminal() -> Iterator[FakeTerminal]:
    terminal = FakeTerminal()
    yield terminal
    terminal.close()


def start(terminal: FakeTerminal, home: Path, *words: str) -> "subprocess.Popen[bytes]":
    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    environment = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - no thread runs here
        env=environment | {"TERM": "xterm-256color", "BOOTSTRAP_HOME": str(home)},
    )


def ended(process: "subprocess.Popen[bytes]", terminal: FakeTerminal) -> int:
    """Return the exit code of a process whose output is read."""
    while process.poll() is None:
        terminal.read(0.05)
    return process.returncode


def wait_for_view(terminal: FakeTerminal) -> None:
    """Read until the view has shown some rounds."""
    while "round 3" not in terminal.written:
        assert terminal.read(30), "nothing more is drawn"


def test_programs_start_and_end_while_the_view_draws(
    terminal: FakeTerminal, tmp_path: Path
) -> None:
    process = start(terminal, tmp_path, "12", str(tmp_path / "log"))
    assert ended(process, terminal) == 0
    lines = terminal.lines()
    assert [line[:21] for line in lines] == ["✓ Booting the nodes  "]
    assert terminal.written.count("round") > 12


def test_an_error_comes_below_the_nodes(terminal: FakeTerminal, tmp_path: Path) -> None:
    process = start(terminal, tmp_path, "1", str(tmp_path / "log"), "fail")
    assert ended(process, terminal) == 3
    lines = terminal.lines()
    assert [line.split()[0] for line in lines] == ["✗", "✗", "error:"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("late_s", [0.0, 0.07])
def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(
    terminal: FakeTerminal, tmp_path: Path, number: signal.Signals, late_s: float
) -> None:
    modes = terminal.modes()
    process = start(terminal, tmp_path, "100000", str(tmp_path / "log"))
    wait_for_view(terminal)
    terminal.read(late_s)
    if number is signal.SIGINT:
        terminal.type("\x03")
    else:
        process.send_signal(number)
    assert ended(process, terminal) == 128 + number
    lines = terminal.lines()
    assert terminal.modes() == modes
    assert "\x1b[?" not in terminal.written
    assert sum("Booting the nodes" in line for line in lines) == 1
    advice = [line for line in lines if "run the same command again" in line]
    assert len(advice) == (number is signal.SIGINT)
    if advice:
        assert lines[-1].endswith("interrupted; run the same command again to go on")
