"""Programs: their output, their ends, and that none outlives us."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bootstrap.adapters.process import run, stream, tail
from bootstrap.errors import BootstrapError, HostError, TimedOutError
from tests.processes import has_ended, until

pytestmark = pytest.mark.runs_programs
SHELL = "/bin/sh"


def test_output_and_status_are_given() -> None:
    done = run(
        [SHELL, "-c", "echo out; echo err >&2; exit 3"], action="x", timeout_s=20, check=False
    )
    assert (done.exit_status, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_words_are_passed_as_they_are() -> None:
    """H-02, SEC-12: no shell is between us and the program."""
    words = ["a b", "$(id)", "';rm", "*", ""]
    done = run(["/usr/bin/printf", "<%s>", *words], action="x", timeout_s=20)
    assert done.stdout == "".join(f"<{word}>" for word in words)


def test_input_reaches_the_program_and_none_is_the_end() -> None:
    """S-02."""
    assert run(["cat"], action="x", timeout_s=20, stdin=b"in").stdout == "in"
    assert run(["cat"], action="x", timeout_s=20).stdout == ""


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert run(["/usr/bin/printf", r"\377"], action="x", timeout_s=20).stdout == "\ufffd"


def test_the_environment_is_ours_or_the_one_that_was_given(tmp_path: Path) -> None:
    argv = [SHELL, "-c", 'echo "$HOME $X"; pwd']
    assert run(argv, action="x", timeout_s=20, env={"X": "y"}, cwd=tmp_path).stdout == (
        f" y\n{tmp_path}\n"
    )
    assert run(argv, action="x", timeout_s=20).stdout.startswith(os.environ["HOME"])


def test_a_missing_program_is_named_with_its_purpose() -> None:
    """A-11."""
    with pytest.raises(HostError) as caught:
        run(["/no/such-program"], action="make a disk", timeout_s=20, hint="bootstrap doctor")
    assert caught.value.message == (
        "Could not make a disk: the program '/no/such-program' is not installed."
    )
    assert caught.value.hint == "bootstrap doctor"


def test_a_failure_has_the_last_lines_of_the_output() -> None:
    script = "for i in $(seq 100); do echo line $i >&2; done; exit 7"
    with pytest.raises(BootstrapError) as caught:
        run([SHELL, "-c", script], action="make a disk", timeout_s=20, hint="h")
    lines = caught.value.details.splitlines()
    assert caught.value.message == "Could not make a disk."
    assert lines[0] == f"'{SHELL}' exited with 7"
    assert lines[1:] == [f"line {number}" for number in range(81, 101)]
    assert script not in caught.value.details


def test_a_failure_has_stdout_if_stderr_is_empty() -> None:
    with pytest.raises(BootstrapError) as caught:
        run([SHELL, "-c", "echo reason; exit 1"], action="x", timeout_s=20)
    assert caught.value.details.endswith("reason")


def test_a_program_without_end_is_timed_out_and_gone() -> None:
    """A-01, G-16, R-09: the guard of every test looks for what is left."""
    with pytest.raises(TimedOutError, match=r"could not wait\.") as caught:
        run(["/bin/sleep", "60"], action="wait", timeout_s=0.2, hint="h")
    assert "sleep" in caught.value.details


_PARENT = """
import sys
from pathlib import Path
from bootstrap.adapters.process import run, stream
kind, note = sys.argv[1:]
argv = ['/bin/sh', '-c', f'echo $$ > {note}; exec sleep 60']
if kind == 'stream':
    argv[-1] = f'sh -c "{argv[-1]}" & wait'
    stream(argv, action='x', log=Path(f'{note}.log'), line=print)
else:
    run(argv, action='x', timeout_s=60)
"""


@pytest.mark.parametrize("kind", ["run", "stream"])
def test_a_program_dies_with_us(kind: str, tmp_path: Path) -> None:
    """R-05, R-09, A-10: and, of a long one, whatever it has started."""
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, kind, str(note)])
    until(lambda: note.exists() and note.read_text() != "")
    child = psutil.Process(int(note.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: has_ended(child))


class _Interrupted(SystemExit):
    """As a signal ends the command, wherever it is."""


def test_a_stream_that_is_interrupted_is_not_waited_for(tmp_path: Path) -> None:
    """G-04, R-08, R-09: a compiler says nothing for minutes."""
    said: list[str] = []

    def interrupt(text: str) -> None:
        said.append(text)
        raise _Interrupted

    with pytest.raises(_Interrupted):
        stream(
            [SHELL, "-c", "sleep 300 & echo $!; wait"],
            action="x",
            log=tmp_path / "log",
            line=interrupt,
        )
    (number,) = said
    assert not psutil.pid_exists(int(number))


def test_lines_are_given_as_they_come_and_kept_in_a_private_log(tmp_path: Path) -> None:
    lines: list[str] = []
    log = tmp_path / "log"
    log.write_text("before\n")
    umask = os.umask(0)
    try:
        stream(
            [SHELL, "-c", "echo one; echo two >&2"],
            action="x",
            log=tmp_path / "new",
            line=lines.append,
        )
    finally:
        os.umask(umask)
    stream([SHELL, "-c", "echo three"], action="x", log=log, line=lines.append)
    assert lines == ["one", "two", "three"]
    assert log.read_text() == "before\nthree\n"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_stream_that_fails_names_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(BootstrapError) as caught:
        stream(
            [SHELL, "-c", "echo reason; exit 4"],
            action="build it",
            log=log,
            line=lambda _line: None,
            hint="h",
        )
    assert caught.value.message == "Could not build it."
    assert f"exited with 4; log: {log}" in caught.value.details
    assert caught.value.details.endswith("reason")


def test_streaming_a_missing_program_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="not installed"):
        stream(["/no/such"], action="x", log=tmp_path / "log", line=lambda _line: None)


def test_a_tail_is_the_last_lines() -> None:
    assert tail("a\nb\nc\n\n", lines=2) == "b\nc"
    assert tail("") == ""


@pytest.mark.parametrize(("mode", "reason"), [(0o755, "Exec format"), (0o644, "Permission")])
def test_a_program_that_the_kernel_does_not_start_is_an_error(
    tmp_path: Path, mode: int, reason: str
) -> None:
    """A-11: such as one for another architecture, or a half-copied one."""
    program = tmp_path / "program"
    program.write_text("nothing that runs")
    program.chmod(mode)
    with pytest.raises(HostError, match="cannot be started") as ran:
        run([program], action="make a disk", timeout_s=20, hint="h")
    with pytest.raises(HostError, match="cannot be started") as streamed:
        stream(
            [program], action="build it", log=tmp_path / "log", line=lambda _line: None, hint="h"
        )
    for error in (ran.value, streamed.value):
        assert reason in error.details
        assert error.hint == "h"
