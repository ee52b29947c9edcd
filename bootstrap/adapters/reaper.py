"""Stand between us and a program that starts others: when we or it end, all of them do.

Run as a program of its own, since nothing that runs in us outlives a SIGKILL. It is the
reaper of its descendants (prctl(2)): whoever of them is left alone becomes its child, also
an SSH connection that has put itself into the background. It imports nothing of ours, so
that it starts in a few milliseconds and from whatever place.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

#: What it ends with when the program takes longer than it may, as timeout(1) does.
TIMED_OUT = 124
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None, use_errno=True)
_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_ROUND_S = 0.05
#: Of one call; the kernel takes no endless one.
_LONGEST_WAIT_S = 3600.0
#: A process that the kernel holds, on a dead network disk for instance, is left to it.
_PATIENCE_S = 10.0
_NO_DESCRIPTOR = -1


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when its parent dies (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)


def reaped(
    command: Sequence[str],
    *,
    timeout_s: float = 0,
    place: Path | None = None,
    report: int = _NO_DESCRIPTOR,
) -> list[str]:
    """Give the command line that runs ``command``, whose whole family dies with this process.

    It ends as ``command`` does, with 128 + its number after a signal, and with ``TIMED_OUT``
    after ``timeout_s`` seconds if that is not 0. If this process dies, the directory
    ``place`` is removed. To the descriptor ``report``, which has to be passed on, goes the
    errno of a ``command`` that does not start.
    """
    own = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
    return [*own, str(timeout_s), str(place or ""), str(report), *command]


def main(arguments: Sequence[str]) -> int:
    """Run what :func:`reaped` was given."""
    parent, timeout_s, place, report, *command = arguments
    # Also one that our caller ignores is kept for us now (sigpending(2)).
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING | {signal.SIGCHLD})
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    die_with_parent(signal.SIGTERM)
    try:
        # It may have died before the kernel was asked.
        return _watch(_start(command, int(report)), float(timeout_s)) if _lives(parent) else 1
    finally:
        _end_family()
        if place and not _lives(parent):
            shutil.rmtree(place, ignore_errors=True)


def _lives(parent: str) -> bool:
    return os.getppid() == int(parent)


def _start(command: Sequence[str], report: int) -> "subprocess.Popen[bytes]":
    """Start the program."""
    try:
        return subprocess.Popen(command, preexec_fn=_as_child)  # noqa: PLW1509 - two system calls
    except OSError as error:
        if report != _NO_DESCRIPTOR:
            os.write(report, str(error.errno).encode())
        raise SystemExit(1) from error
    finally:
        if report != _NO_DESCRIPTOR:
            os.close(report)


def _as_child() -> None:
    die_with_parent()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _watch(program: "subprocess.Popen[bytes]", timeout_s: float) -> int:
    """Give the exit code of the program, or of what ends it before."""
    ends = time.monotonic() + timeout_s if timeout_s else float("inf")
    waited = _ENDING | {signal.SIGCHLD}
    while True:
        status = _buried().get(program.pid)
        if status is not None:
            return status if status >= 0 else 128 - status
        left_s = ends - time.monotonic()
        if left_s <= 0:
            return TIMED_OUT
        told = signal.sigtimedwait(waited, min(left_s, _LONGEST_WAIT_S))
        if told and told.si_signo in _ENDING:
            return 128 + told.si_signo


def _buried() -> dict[int, int]:
    """Bury the dead children and give how each ended, as :mod:`subprocess` does."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (dead := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            ended[dead[0]] = os.waitstatus_to_exitcode(dead[1])
    return ended


def _end_family() -> None:
    """Kill all descendants, and whom they leave behind, until there are none."""
    ends = time.monotonic() + _PATIENCE_S
    while (family := descendants(os.getpid())) and time.monotonic() < ends:
        for pid in family:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, _ROUND_S)
        _buried()


def descendants(ancestor: int) -> list[int]:
    """List the children of a process and all of theirs (proc(5))."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything.
            _, parent, *_ = stat.read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found = list(children.get(ancestor, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
