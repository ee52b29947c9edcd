"""Hold kubectl's lock on a kubeconfig: a file beside it that must not exist yet.

Unlike our own locks it outlives a killed holder (R-03), so its age and maker are told.
"""

import contextlib
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from bootstrap.errors import BootstrapError, LockedError, TimedOutError
from bootstrap.waiting import NotYet, wait_for

_INTERVAL_S = 0.05


@contextlib.contextmanager
def kubectl_lock(kubeconfig: Path, *, patience_s: float) -> Iterator[None]:
    """Hold the lock of a kubeconfig, and of the file that it links to, while the block runs.

    :raises LockedError: if another process holds it for ``patience_s`` seconds. The lock
        is left alone: it may be kubectl's.
    """
    locks = sorted({f"{name}.lock" for name in (kubeconfig, kubeconfig.resolve())})
    with contextlib.ExitStack() as held:
        for lock in map(Path, locks):
            _take(lock, kubeconfig, patience_s)
            held.callback(lock.unlink, missing_ok=True)
        yield


def _take(lock: Path, kubeconfig: Path, patience_s: float) -> None:
    def try_once() -> None:
        try:
            # kubectl gives it mode 0 and no content; ours names its maker.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(lock, flags, 0o600)
        except FileExistsError as error:
            raise NotYet(f"'{lock}' exists") from error
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{os.getpid()}\n")

    try:
        wait_for(
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


def _describe(lock: Path) -> str:
    try:
        status = lock.stat()
    except FileNotFoundError:
        return f"'{lock}' was taken again and again."
    age_s = max(0, int(time.time() - status.st_mtime))
    return f"The lock file '{lock}' is {age_s} s old, made by uid {status.st_uid}, {_maker(lock)}."


def _maker(lock: Path) -> str:
    try:
        pid = int(lock.read_text())
    except (OSError, ValueError):
        return "not by this tool"
    if Path(f"/proc/{pid}").exists():
        return f"by pid {pid}, which still runs"
    return f"by pid {pid}, which was killed and left it (stale)"
