"""Hold kubectl's lock on a kubeconfig: a file beside it that must not exist yet.

Such a file outlives a killed holder (R-03). Ours is born with a flock(2) on it that dies
with its maker, so that what a killed run of this tool left is told from a lock that is
held, whichever process has that pid by now, and is removed; anybody else's is left alone.
"""

import contextlib
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from bootstrap.adapters.files import remove_abandoned, remove_same, sweep, temporary_beside
from bootstrap.errors import BootstrapError, LockedError, TimedOutError
from bootstrap.waiting import NotYet, wait_for

_INTERVAL_S = 0.05
_MAKER = "bootstrap"


@contextlib.contextmanager
def kubectl_lock(kubeconfig: Path, *, patience_s: float) -> Iterator[None]:
    """Hold the lock of a kubeconfig, and of the file that it links to, while the block runs.

    :raises LockedError: if another process holds it for ``patience_s`` seconds. The lock
        is left alone: it may be kubectl's.
    """
    locks = sorted({f"{name}.lock" for name in (kubeconfig, kubeconfig.resolve())})
    with contextlib.ExitStack() as held:
        for lock in map(Path, locks):
            held.enter_context(_taken(lock, kubeconfig, patience_s))
        yield


def remove_abandoned_files(kubeconfig: Path) -> None:
    """Remove the locks and temporary files that killed runs left beside a kubeconfig."""
    for file in {kubeconfig, kubeconfig.resolve()}:
        _remove_stale(file.with_name(f"{file.name}.lock"))
        with contextlib.suppress(OSError):
            sweep(file.parent, file.name)


@contextlib.contextmanager
def _taken(lock: Path, kubeconfig: Path, patience_s: float) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        descriptor = _take(lock, kubeconfig, patience_s, held)
        try:
            yield
        finally:
            remove_same(lock, descriptor)


def _take(lock: Path, kubeconfig: Path, patience_s: float, held: contextlib.ExitStack) -> int:
    def try_once() -> int:
        _remove_stale(lock)
        try:
            with contextlib.ExitStack() as made:
                descriptor = _make(lock, made)
                held.push(made.pop_all())
                return descriptor
        except FileExistsError as error:
            raise NotYet(f"'{lock}' exists") from error

    try:
        return wait_for(
            f"the lock of '{kubeconfig}'", try_once, timeout_s=patience_s, interval_s=_INTERVAL_S
        )
    except TimedOutError as error:
        raise LockedError(
            f"Could not change the kubeconfig '{kubeconfig}': it is locked.",
            details=_describe(lock),
            hint=f"If no kubectl runs: rm -f {shlex.quote(str(lock))}",
        ) from error
    except OSError as error:
        raise BootstrapError(
            f"Could not lock the kubeconfig '{kubeconfig}'.",
            details=str(error),
            hint=f"ls -ld {shlex.quote(str(lock.parent))}",
        ) from error


def _make(lock: Path, held: contextlib.ExitStack) -> int:
    """Make the lock in one step, with its flock; as with O_EXCL another's is never taken."""
    # Named after the kubeconfig itself, whose next change sweeps what a kill leaves.
    kubeconfig = lock.with_name(lock.name.removesuffix(".lock"))
    temporary, descriptor = held.enter_context(temporary_beside(kubeconfig))
    os.write(descriptor, f"{_MAKER} {os.getpid()}\n".encode())
    try:
        os.link(temporary, lock)
    except FileNotFoundError as error:
        # Swept before it had its flock; the next try makes another.
        raise FileExistsError(temporary) from error
    temporary.unlink()
    return descriptor


def _remove_stale(lock: Path) -> None:
    """Remove a lock of ours whose maker was killed; one that is held or not ours stays."""
    with contextlib.suppress(OSError, UnicodeError):
        if lock.read_text().startswith(f"{_MAKER} "):
            remove_abandoned(lock)


def _describe(lock: Path) -> str:
    try:
        status = lock.stat()
    except FileNotFoundError:
        return f"'{lock}' was taken again and again."
    age_s = max(0, int(time.time() - status.st_mtime))
    return f"The lock file '{lock}' is {age_s} s old, made by uid {status.st_uid}, {_maker(lock)}."


def _maker(lock: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        maker, pid = lock.read_text().split()
        if maker == _MAKER:
            return f"by pid {pid}, which still runs"
    return "not by this tool"
