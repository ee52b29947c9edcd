"""Run a program; the only user of :mod:`subprocess`."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.events.commands import log_command
from bootstrap.adapters.reaper import TIMED_OUT, die_with_parent, reaped
from bootstrap.cancelling import when_cancelled
from bootstrap.errors import BootstrapError, HostError, TimedOutError

_TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Exit status and output of a program."""

    exit_status: int
    stdout: str
    stderr: str


def tail(text: str, lines: int = _TAIL_LINES) -> str:
    """Keep the last lines of a program's output."""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def run(  # noqa: PLR0913 - each argument is one property of a process
    argv: Sequence[str | Path],
    *,
    action: str,
    timeout_s: float,
    program: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    hint: str = "",
) -> Completed:
    """Run a program to its end and return its decoded output.

    ``action`` completes the sentence "Could not ...". The program dies with this process, and
    when the run is cancelled. It is the one that the first word names, unless ``program`` is.

    :raises HostError: if there is no such program, or the kernel does not start it.
    :raises TimedOutError: if it runs longer than ``timeout_s`` seconds.
    :raises BootstrapError: if ``check`` is set and it does not exit with 0.
    """
    words = [str(word) for word in argv]
    log_command(words, cwd=cwd)
    try:
        with subprocess.Popen(
            words,
            executable=program,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call
        ) as process:
            out, err = _communicated(process, stdin, timeout_s)
    except OSError as error:
        raise _not_started(action, words[0], error, hint) from error
    except subprocess.TimeoutExpired as error:
        raise _timed_out(action, words[0], timeout_s, hint) from error
    completed = Completed(
        exit_status=process.returncode,
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
    )
    if check and completed.exit_status != 0:
        raise BootstrapError(
            f"Could not {action}.",
            details=f"'{words[0]}' exited with {completed.exit_status}\n"
            + tail(completed.stderr or completed.stdout),
            hint=hint,
        )
    return completed


def _communicated(
    process: "subprocess.Popen[bytes]", stdin: bytes | None, timeout_s: float
) -> tuple[bytes, bytes]:
    """Return both outputs; a program that is given up is killed."""
    try:
        with when_cancelled(process.kill):
            return process.communicate(stdin, timeout_s)
    except BaseException:
        process.kill()
        raise


def stream(  # noqa: PLR0913 - each argument is one property of a process
    argv: Sequence[str | Path],
    *,
    action: str,
    log: Path | None,
    line: Callable[[str], None],
    timeout_s: float = 0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hint: str = "",
) -> None:
    """Run a long program; each line of its output goes to ``line`` and to the file ``log``.

    It and all processes that it has started end with this process, when ``line`` raises, and when
    the run is cancelled. It may run for ``timeout_s`` seconds, or as long as it likes if that is 0.

    :raises TimedOutError: if it runs longer.
    :raises HostError: if there is no such program, or the kernel does not start it.
    :raises BootstrapError: if it does not exit with 0, with the path of the log.
    """
    words = [str(word) for word in argv]
    log_command(words, cwd=cwd)
    last: list[str] = []
    with contextlib.ExitStack() as ending:
        try:
            process = ending.enter_context(_reaped(words, timeout_s=timeout_s, cwd=cwd, env=env))
        except OSError as error:
            raise _not_started(action, words[0], error, hint) from error
        path = log or os.devnull
        # Whole lines, since others may write to it too.
        file = ending.enter_context(open(path, "a", buffering=1, encoding="utf-8", opener=private))
        assert process.stdout is not None  # noqa: S101 - stdout=PIPE below
        for raw in process.stdout:
            text = raw.decode(errors="replace").rstrip()
            file.write(text + "\n")
            last = [*last[-_TAIL_LINES:], text]
            line(text)
    if timeout_s and process.returncode == TIMED_OUT:
        raise _timed_out(action, words[0], timeout_s, hint)
    if process.returncode != 0:
        raise BootstrapError(
            f"Could not {action}.",
            details=f"'{words[0]}' exited with {process.returncode}"
            + (f"; log: {log}\n" if log else "\n")
            + "\n".join(last[-_TAIL_LINES:]),
            hint=hint,
        )


@contextlib.contextmanager
def _reaped(
    words: Sequence[str], *, timeout_s: float, cwd: Path | None, env: Mapping[str, str] | None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for the block, which reads its output; end all its processes afterwards.

    :raises OSError: if it does not start.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading) as report:
        try:
            reaper = subprocess.Popen(
                reaped(words, timeout_s=timeout_s, report=writing),
                cwd=cwd,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[writing],
                # Signals of a terminal come to this process; it, or its death, signals the reaper.
                start_new_session=True,
            )
        finally:
            os.close(writing)
        with reaper:
            try:
                if number := report.read():
                    raise OSError(int(number), os.strerror(int(number)))
                with when_cancelled(reaper.terminate):
                    yield reaper
            finally:
                # No effect on one that has ended; without it, waiting could take minutes.
                reaper.terminate()


def _timed_out(action: str, program: str, timeout_s: float, hint: str) -> TimedOutError:
    return TimedOutError(
        f"Timed out after {timeout_s:.0f} s: could not {action}.",
        details=f"command: {program}",
        hint=hint,
    )


def _not_started(action: str, program: str, error: OSError, hint: str) -> HostError:
    if isinstance(error, FileNotFoundError):
        return HostError(
            f"Could not {action}: the program '{program}' is not installed.", hint=hint
        )
    return HostError(
        f"Could not {action}: the program '{program}' cannot be started.",
        details=str(error),
        hint=hint,
    )


def private(path: str, flags: int) -> int:
    """Open a file with mode 0600 whatever the umask is; an opener for :func:`open`."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
