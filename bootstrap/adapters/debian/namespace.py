"""Run a worker of ours where it may mount and chroot, without being root."""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.adapters.process import run, stream
from bootstrap.errors import BootstrapError, HostError

_PROBE_TIMEOUT_S = 60
_GET_IDS = (
    "sudo apt-get install uidmap && "
    'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"'
)
#: The kernel's setting, the value that refuses namespaces, and one that does not: Ubuntu's
#: since 23.10, that of Debian up to 10 and of hardened hosts, and the limit of every kernel.
_REFUSING = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)


def argv(command: Sequence[str | Path], *, uid: int) -> list[str | Path]:
    """Give ``command`` in namespaces of its own, where it is root.

    What it mounts, it mounts for itself; when it or its caller dies, all its processes
    die and its mounts are gone. An ordinary user gets the ids of /etc/subuid besides.
    """
    user = [] if uid == 0 else ["--user", "--map-root-user", "--map-auto"]
    return ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child", *command]


def check(*, uid: int, settings: Path = Path("/proc/sys")) -> None:
    """Find out whether this host lets this user have such namespaces.

    :raises HostError: if not, with the command that changes it.
    """
    try:
        # A directory of our own: a mount that got out would cover nothing.
        with tempfile.TemporaryDirectory(prefix="bootstrap-") as target:
            run(
                argv(["mount", "-t", "tmpfs", "none", target], uid=uid),
                action="make a user namespace",
                timeout_s=_PROBE_TIMEOUT_S,
            )
    except BootstrapError as error:
        refusal, setting = _refusal(settings) if uid else ("", "")
        raise HostError(
            "This user cannot build a node image: the host refuses a user namespace with "
            "more than one id.",
            details="\n".join(filter(None, [error.details or error.message, refusal])),
            hint=f"sudo sysctl -w {setting}" if setting else _GET_IDS,
        ) from error


def _refusal(settings: Path) -> tuple[str, str]:
    """Name the kernel's setting that refuses namespaces, and what it must be set to.

    It comes before the ids: while it is set, no ids help.
    """
    for name, refusing, wanted in _REFUSING:
        try:
            value = (settings / name.replace(".", "/")).read_text().strip()
        except OSError:  # a kernel without the setting
            continue
        if value == refusing:
            return f"{name} is {value}", f"{name}={wanted}"
    return "", ""


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


def mount_scratch(directory: Path) -> None:
    """Cover ``directory`` with memory that is gone when the last process of us is."""
    run(
        ["mount", "-t", "tmpfs", "-o", "mode=0755,size=80%", "scratch", directory],
        action="get memory",
        timeout_s=_PROBE_TIMEOUT_S,
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
