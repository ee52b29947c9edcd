"""Run a program; the only user of :mod:`subprocess`."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import BootstrapError, HostError, TimedOutError

_TAIL_LINES = 20
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a program ended."""

    exit_status: int
    stdout: str
    stderr: str


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def tail(text: str, lines: int = _TAIL_LINES) -> str:
    """Keep the last lines of a program's output."""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def run(  # noqa: PLR0913 - each argument is one property of a process
    argv: Sequence[str | Path],
    *,
    action: str,
    timeout_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    hint: str = "",
) -> Completed:
    """Run a program to its end and give its decoded output.

    ``action`` completes the sentence "Could not ...". The program dies with us.

    :raises HostError: if there is no such program, or the kernel does not start it.
    :raises TimedOutError: if it runs longer than ``timeout_s`` seconds.
    :raises BootstrapError: if ``check`` is set and it does not exit with 0.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=None if env is None else dict(env),
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            preexec_fn=die_with_parent,
        )
    except OSError as error:
        raise _not_started(action, words[0], error, hint) from error
    except subprocess.TimeoutExpired as error:
        raise TimedOutError(
            f"Timed out after {timeout_s:.0f} s: could not {action}.",
            details=f"command: {words[0]}",
            hint=hint,
        ) from error
    completed = Completed(
        exit_status=done.returncode,
        stdout=done.stdout.decode(errors="replace"),
        stderr=done.stderr.decode(errors="replace"),
    )
    if check and completed.exit_status != 0:
        raise BootstrapError(
            f"Could not {action}.",
            details=f"'{words[0]}' exited with {completed.exit_status}\n"
            + tail(completed.stderr or completed.stdout),
            hint=hint,
        )
    return completed


def stream(  # noqa: PLR0913 - each argument is one property of a process
    argv: Sequence[str | Path],
    *,
    action: str,
    log: Path,
    line: Callable[[str], None],
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hint: str = "",
) -> None:
    """Run a long program, giving each line of its output to ``line`` and to the file ``log``.

    :raises HostError: if there is no such program, or the kernel does not start it.
    :raises BootstrapError: if it does not exit with 0; the log is named.
    """
    words = [str(word) for word in argv]
    last: list[str] = []
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call
        )
    except OSError as error:
        raise _not_started(action, words[0], error, hint) from error
    with process, open(log, "a", encoding="utf-8", opener=private) as file:
        assert process.stdout is not None  # noqa: S101 - stdout=PIPE above
        for raw in process.stdout:
            text = raw.decode(errors="replace").rstrip()
            file.write(text + "\n")
            last = [*last[-_TAIL_LINES:], text]
            line(text)
    if process.returncode != 0:
        raise BootstrapError(
            f"Could not {action}.",
            details=f"'{words[0]}' exited with {process.returncode}; log: {log}\n"
            + "\n".join(last[-_TAIL_LINES:]),
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
    """Open a file as ours alone, whatever the umask is; an opener for :func:`open`."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
