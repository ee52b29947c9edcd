"""Locks that the kernel releases when their process is killed, with a file about the holder.

Both files are there while the lock is held, and after a kill until the lock is taken again.
"""

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import is_same, private_directory, remove_same
from bootstrap.errors import LockedError, TimedOutError
from bootstrap.waiting import NotYet, wait_for

_INTERVAL_S = 0.05


@contextlib.contextmanager
def locked(path: Path, *, what: str, timeout_s: float = 0) -> Iterator[None]:
    """Hold the lock file ``path`` (flock, close-on-exec) while the block runs.

    It keeps out other threads of this process as it does other processes.

    :raises LockedError: if another holds it for ``timeout_s`` seconds; the error
        has the id and the command of its process, the time, and whether it is stopped.
    """
    with explained(f"lock {what}"):
        private_directory(path.parent)
        try:
            descriptor = wait_for(
                f"the lock of {what}",
                partial(_take, path),
                timeout_s=timeout_s,
                interval_s=_INTERVAL_S,
            )
        except TimedOutError as error:
            raise LockedError(
                f"Another run works on {what}.",
                details=_holder(path),
                hint="Wait for it to end, or look at it: ps -o pid,stat,etime,args -C bootstrap",
            ) from error
    try:
        with explained(f"lock {what}"):
            _note(path)
        yield
    finally:
        with contextlib.suppress(OSError):  # what stays does no harm
            _holder_file(path).unlink(missing_ok=True)
            remove_same(path, descriptor)
        os.close(descriptor)


def _take(path: Path) -> int:
    """Return a descriptor that has the lock, which is its own: the kernel knows no process."""
    while True:
        with contextlib.ExitStack() as opened:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            opened.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise NotYet("another holds it") from error
            # Its holder may have removed it since it was opened; the next one locks another file.
            if is_same(path, descriptor):
                opened.pop_all()
                return descriptor


def _holder_file(path: Path) -> Path:
    return path.with_suffix(".holder")


def _note(path: Path) -> None:
    words = [Path(sys.argv[0]).name, *sys.argv[1:3]]
    text = json.dumps({"pid": os.getpid(), "command": " ".join(words), "since": int(time.time())})
    descriptor = os.open(
        _holder_file(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
    )
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(_holder_file(path).read_text())
        pid, seconds = int(holder["pid"]), int(time.time()) - int(holder["since"])
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return "its holder is not known"
    stopped = "; it is stopped: T (stopped)" if state in "Tt" else ""
    return f"pid {pid} ({holder['command']}, {seconds} s) holds the lock{stopped}"
