"""Run a worker of ours where it may mount and chroot, without being root."""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.adapters.process import run, stream
from bootstrap.errors import BootstrapError, HostError

_PROBE_TIMEOUT_S = 60


def argv(command: Sequence[str | Path], *, uid: int) -> list[str | Path]:
    """Give ``command`` in namespaces of its own, where it is root.

    What it mounts, it mounts for itself; when it or its caller dies, all its processes
    die and its mounts are gone. An ordinary user gets the ids of /etc/subuid besides.
    """
    user = [] if uid == 0 else ["--user", "--map-root-user", "--map-auto"]
    return ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child", *command]


def check(*, uid: int) -> None:
    """Find out whether this host lets this user have such namespaces.

    :raises HostError: if not, with the command that changes it.
    """
    hint = (
        "sudo apt-get install uidmap && "
        'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"'
    )
    try:
        # A directory of our own: a mount that got out would cover nothing.
        with tempfile.TemporaryDirectory(prefix="bootstrap-") as target:
            run(
                argv(["mount", "-t", "tmpfs", "none", target], uid=uid),
                action="make a user namespace",
                timeout_s=_PROBE_TIMEOUT_S,
                hint=hint,
            )
    except BootstrapError as error:
        raise HostError(
            "This user cannot build a node image: the host refuses a user namespace with "
            "more than one id.",
            details=error.details or error.message,
            hint=hint,
        ) from error


def run_worker(
    module: str, spec: Path, *, action: str, log: Path, line: Callable[[str], None]
) -> None:
    """Run ``python -m module spec`` inside, giving its lines to ``line`` and to ``log``."""
    stream(
        argv([sys.executable, "-m", module, spec], uid=os.getuid()),
        action=action,
        log=log,
        line=line,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    """Give only what finds programs and modules: nothing of the user's may get in."""
    scripts = Path(sys.executable).parent
    kept = {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ}
    return kept | {
        "PATH": f"{scripts}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONUNBUFFERED": "1",
        "LC_ALL": "C.UTF-8",
    }
