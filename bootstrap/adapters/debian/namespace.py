"""Run a worker in namespaces of its own, where it may mount and chroot without being root."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bootstrap.adapters.files import write_atomically
from bootstrap.adapters.process import run, stream
from bootstrap.errors import BootstrapError, HostError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Spec = TypeVar("_Spec")
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
    """Return the command that runs ``command`` as root of namespaces of its own.

    Its mounts are visible in there only; when it or its caller dies, all its processes die
    and its mounts are gone. An ordinary user also gets the ids of /etc/subuid.
    """
    user = [] if uid == 0 else ["--user", "--map-root-user", "--map-auto"]
    return ["unshare", *user, "--mount", "--pid", "--fork", "--kill-child", *command]


def check(*, uid: int, settings: Path = Path("/proc/sys")) -> None:
    """Check that this host lets this user make such namespaces.

    :raises HostError: if not, with the command that changes it.
    """
    try:
        # A directory of our own: a mount outside the namespace would cover nothing.
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
    """Name the kernel's setting that refuses namespaces, and the value that allows them.

    It comes before the ids: while it is set, no ids help.
    """
    for name, refusing, allowing in _REFUSING:
        try:
            value = (settings / name.replace(".", "/")).read_text().strip()
        except OSError:  # a kernel without the setting
            continue
        if value == refusing:
            return f"{name} is {value}", f"{name}={allowing}"
    return "", ""


def run_worker(  # noqa: PLR0913 - what runs, and where its output goes
    module: str,
    spec: "DataclassInstance",
    *,
    directory: Path,
    action: str,
    log: Path,
    line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run ``python -m module``, which calls :func:`worker_main`, in namespaces of its own.

    The worker writes to ``directory``, which is private; the caller removes what a kill leaves
    there. Each line of the output goes to ``line`` and to the file ``log``.

    :raises HostError: if this host does not let this user make namespaces.
    :raises BootstrapError: if the worker fails, with the end of its output.
    """
    check(uid=os.getuid())
    with tempfile.TemporaryDirectory(prefix=".worker-", dir=directory) as work:
        # Private: a spec may hold the password of a proxy.
        write_atomically(Path(work, "spec.json"), json.dumps(asdict(spec)))
        Path(work, "scratch").mkdir()
        stream(
            argv([sys.executable, "-m", module, work], uid=os.getuid()),
            action=action,
            log=log,
            line=line,
            env=_environment(),
        )


def worker_main(work: Callable[[_Spec, Path, Path], None], spec_type: Callable[..., _Spec]) -> int:
    """Call ``work`` with the spec, a scratch directory in memory, and ``directory``.

    Both come from :func:`run_worker`. Returns the exit code.
    """
    directory = Path(sys.argv[1])
    spec = spec_type(**json.loads((directory / "spec.json").read_text()))
    try:
        mount_scratch(directory / "scratch")
        work(spec, directory / "scratch", directory.parent)
    except BootstrapError as error:
        print(f"{error.message}\n{error.details}", flush=True)  # noqa: T201 - the worker's output
        return 1
    return 0


def mount_scratch(directory: Path) -> None:
    """Mount memory at ``directory``; the kernel frees it with the last process of the worker."""
    run(
        ["mount", "-t", "tmpfs", "-o", "mode=0755,size=80%", "scratch", directory],
        action="get memory",
        timeout_s=_PROBE_TIMEOUT_S,
    )


def _environment() -> dict[str, str]:
    """Return what finds programs and modules, and nothing else of the user's."""
    scripts = Path(sys.executable).parent
    kept = {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ}
    return kept | {
        "PATH": f"{scripts}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "PYTHONUNBUFFERED": "1",
        "LC_ALL": "C.UTF-8",
    }
