"""`top` in a process of its own on a pseudo-terminal, with a cluster of fakes."""

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

PROGRAM = """
from bootstrap.cli import main, watch
from bootstrap.composition import Composition
from bootstrap.workflow.up import up
from bootstrap.workflow.watching import Watch
from tests.builders import FakePorts, a_cluster_spec, a_site, options, ports_with_fakes
from tests.fakes.cluster_api import FakePod

world = ports_with_fakes()
up(a_cluster_spec(), world.ports, options())
watch._INTERVAL_S = 0.1
look = Watch.look

def counted(self):
    world.api.pods.append(FakePod(name="web", node="worker"))
    if len(world.api.pods) == 40:
        world.hypervisor.domains_by_uuid.clear()
    return look(self)

Watch.look = counted
main(Composition(ports=lambda _, events, cluster: FakePorts(world, a_site(), events, cluster)))
"""
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"


@pytest.fixture
def terminal() -> Iterator[FakeTerminal]:
    terminal = FakeTerminal()
    yield terminal
    terminal.close()


@pytest.fixture
def top(terminal: FakeTerminal, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "top", "demo"],
        stdin=terminal.slave,
        stdout=terminal.slave,
        stderr=terminal.slave,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - no thread runs here
        env=os.environ | {"TERM": "xterm-256color", "BOOTSTRAP_HOME": str(tmp_path)},
    ) as process:
        yield process
        process.kill()


def read_until(terminal: FakeTerminal, text: str) -> None:
    while text not in terminal.written:
        assert terminal.read(20), f"nothing more is drawn: {terminal.written}"


def ended(process: "subprocess.Popen[bytes]", terminal: FakeTerminal) -> int:
    while process.poll() is None:
        terminal.read(0.05)
    terminal.read()
    return process.returncode


@pytest.mark.parametrize(
    ("key", "code"), [("q", 0), ("xq", 0), ("\x04", 0), ("\x03", 130)], ids=["q", "xq", "^D", "^C"]
)
def test_a_key_ends_it_and_the_terminal_is_as_before(
    terminal: FakeTerminal, top: "subprocess.Popen[bytes]", key: str, code: int
) -> None:
    modes = terminal.modes()
    read_until(terminal, "2 Running")
    terminal.type(key)
    assert ended(top, terminal) == code
    assert terminal.modes() == modes
    assert (terminal.written.count(ENTER), terminal.written.count(LEAVE)) == (1, 1)
    assert terminal.written.rindex(LEAVE) > terminal.written.rindex("Every")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_the_terminal_is_as_before(
    terminal: FakeTerminal, top: "subprocess.Popen[bytes]", number: signal.Signals
) -> None:
    modes = terminal.modes()
    read_until(terminal, "1 Running")
    top.send_signal(number)
    assert ended(top, terminal) == 128 + number
    assert terminal.modes() == modes
    assert terminal.written.endswith(LEAVE)


def test_another_size_is_drawn_at_once(
    terminal: FakeTerminal, top: "subprocess.Popen[bytes]"
) -> None:
    read_until(terminal, "DOMAIN")
    terminal.resize(40)
    terminal.written = ""
    read_until(terminal, "MEM\x1b")
    assert "DOMAIN" not in terminal.written.rpartition("NODE")[2]
    terminal.type("q")
    assert ended(top, terminal) == 0


def test_a_cluster_that_goes_ends_it_with_the_reason(
    terminal: FakeTerminal, top: "subprocess.Popen[bytes]"
) -> None:
    modes = terminal.modes()
    assert ended(top, terminal) == 6
    assert terminal.modes() == modes
    assert "There is no cluster 'demo'" in terminal.written.rpartition(LEAVE)[2]
