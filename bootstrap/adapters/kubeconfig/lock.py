"""Hold kubectl's lock on a kubeconfig: a file beside it that must not exist yet.

Such a file outlives a killed holder (R-03). Ours has a flock(2) from its first moment, which
ends with the process that made it. So the lock of a killed run of this tool differs from one
that is held, whichever process has that pid now, and is removed; any other lock is kept.
"""

import contextlib
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import remove_abandoned, remove_same, sweep, temporary_beside
from bootstrap.errors import LockedError, TimedOutError
from bootstrap.waiting import NotYet, wait_for

_INTERVAL_S = 0.05
_MAKER = "bootstrap"


@contextlib.contextmanager
def kubectl_lock(kubeconfig: Path, *, patience_s: float) -> Iterator[None]:
    """Hold the lock of a kubeconfig, and of the file that it links to, while the block runs.

    :raises LockedError: if one other process holds it for ``patience_s`` seconds. The lock
        is kept: it may be kubectl's. Processes that take it in turn are waited for longer,
        since each of them ends.
    """
    with contextlib.ExitStack() as held:
        for file in sorted({kubeconfig, kubeconfig.resolve()}):
            _wait(file, kubeconfig, patience_s, held)
        yield


def remove_abandoned_files(kubeconfig: Path) -> None:
    """Remove the locks and temporary files that killed runs left beside a kubeconfig."""
    for file in {kubeconfig, kubeconfig.resolve()}:
        _remove_stale(_lock_of(file))
        with contextlib.suppress(OSError):
            sweep(file.parent, file.name)


def _lock_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")


def _wait(file: Path, kubeconfig: Path, patience_s: float, held: contextlib.ExitStack) -> None:
    lock = _lock_of(file)
    while True:
        holder = _identity(lock)
        try:
            with explained(f"lock the kubeconfig '{kubeconfig}'"):
                return wait_for(
                    f"the lock of '{kubeconfig}'",
                    lambda: _take(file, held),
                    timeout_s=patience_s,
                    interval_s=_INTERVAL_S,
                )
        except TimedOutError as error:
            if holder is not None and _identity(lock) == holder:
                raise LockedError(
                    f"Could not change the kubeconfig '{kubeconfig}': it is locked.",
                    details=_describe(lock),
                    hint=f"If no kubectl runs: rm -f {shlex.quote(str(lock))}",
                ) from error


def _identity(lock: Path) -> tuple[int, int] | None:
    """Tell one holder's lock from the next one's, which may get the same inode."""
    try:
        status = lock.lstat()  # a link to nothing is a lock as well
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _take(file: Path, held: contextlib.ExitStack) -> None:
    """Make the lock in one step, with its flock; as with O_EXCL another's is never taken."""
    lock = _lock_of(file)
    _remove_stale(lock)
    if lock.exists():  # many that wait would slow down the holder with files of their own
        raise NotYet(f"'{lock}' exists")
    with contextlib.ExitStack() as made:
        # Named after the kubeconfig itself, whose next change sweeps what a kill leaves.
        temporary, descriptor = made.enter_context(temporary_beside(file))
        os.write(descriptor, f"{_MAKER} {os.getpid()}\n".encode())
        made.callback(remove_same, lock, descriptor)
        try:
            os.link(temporary, lock)
        except (FileExistsError, FileNotFoundError) as error:
            # Not found: it was swept before it had its flock.
            raise NotYet(f"'{lock}' exists") from error
        temporary.unlink()
        held.push(made.pop_all())


def _remove_stale(lock: Path) -> None:
    """Remove a lock of ours whose holder was killed; one that is held or not ours is kept."""
    with contextlib.suppress(OSError, UnicodeError):
        if lock.read_text().startswith(f"{_MAKER} "):
            remove_abandoned(lock)


def _describe(lock: Path) -> str:
    try:
        status = lock.lstat()
    except FileNotFoundError:
        return f"The lock file '{lock}' was removed just now."
    age_s = max(0, int(time.time() - status.st_mtime))
    return f"The lock file '{lock}' is {age_s} s old, made by uid {status.st_uid}, {_maker(lock)}."


def _maker(lock: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        maker, pid = lock.read_text().split()
        if maker == _MAKER:
            return f"by pid {pid}, which still runs"
    return "not by this tool"
