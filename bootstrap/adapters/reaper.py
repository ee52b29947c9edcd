"""Supervise a program that starts others: when it or this process ends, all of them end.

Runs as a process of its own, since no code of a process runs after SIGKILL. It is the
subreaper of its descendants (prctl(2)): each that loses its parent becomes its child, also
an SSH connection that has put itself into the background. It imports no other module of
the package, so that it starts in a few milliseconds and from any directory.
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

#: The exit code after the time limit, as that of timeout(1).
TIMED_OUT = 124
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None, use_errno=True)
_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_ROUND_S = 0.05
#: Of one call; the kernel accepts no infinite one.
_LONGEST_WAIT_S = 3600.0
#: After it, processes that cannot die, on a dead network disk for instance, are left.
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
    """Return the command that runs ``command`` and ends all its processes with this one.

    Its exit code is that of ``command``, 128 + the number of a signal that ended it, or
    ``TIMED_OUT`` after ``timeout_s`` seconds if that is not 0. If this process dies, the
    reaper removes the directory ``place``. It writes the errno of a ``command`` that does not
    start to the descriptor ``report``, which it has to inherit.
    """
    own = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
    return [*own, str(timeout_s), str(place or ""), str(report), *command]


def end_reaped(place: Path) -> None:
    """End what a :func:`reaped` command of this process runs with ``place``, if it still does."""
    for pid in _children().get(os.getpid(), ()):
        with contextlib.suppress(OSError):
            if os.fsencode(place) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                os.kill(pid, signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """Run the command of :func:`reaped`, and return its exit code."""
    parent, timeout_s, place, report, *command = arguments
    # The kernel now keeps them for sigtimedwait(2), also those that the caller ignores.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING | {signal.SIGCHLD})
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    die_with_parent(signal.SIGTERM)
    try:
        # The parent may have died before prctl(2).
        return _watch(_start(command, int(report)), float(timeout_s)) if _lives(parent) else 1
    finally:
        _kill_descendants()
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
    """Wait for the program, the time limit or a signal, and return the exit code."""
    ends = time.monotonic() + timeout_s if timeout_s else float("inf")
    waited = _ENDING | {signal.SIGCHLD}
    while True:
        status = _wait_for_dead().get(program.pid)
        if status is not None:
            return status if status >= 0 else 128 - status
        left_s = ends - time.monotonic()
        if left_s <= 0:
            return TIMED_OUT
        received = signal.sigtimedwait(waited, min(left_s, _LONGEST_WAIT_S))
        if received and received.si_signo in _ENDING:
            return 128 + received.si_signo


def _wait_for_dead() -> dict[int, int]:
    """Wait for the dead children; return their exit codes in the form of :mod:`subprocess`."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (dead := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            ended[dead[0]] = os.waitstatus_to_exitcode(dead[1])
    return ended


def _kill_descendants() -> None:
    """Kill all descendants, and those that they started meanwhile, until there are none."""
    ends = time.monotonic() + _PATIENCE_S
    while (family := descendants(os.getpid())) and time.monotonic() < ends:
        for pid in family:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, _ROUND_S)
        _wait_for_dead()


def descendants(ancestor: int) -> list[int]:
    """List the children of a process and all their descendants (proc(5))."""
    children = _children()
    found = list(children.get(ancestor, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _children() -> dict[int, list[int]]:
    """List the children of every process that has any."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything.
            _, parent, *_ = stat.read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    return children


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
