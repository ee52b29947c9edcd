"""Run the cluster's playbook by ansible-runner, deaf to the user's Ansible set-up."""

import contextlib
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.ansible.events import EventLog
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.process import private
from bootstrap.adapters.reaper import TIMED_OUT, reaped
from bootstrap.errors import TimedOutError
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.ports import PlaybookResult, Progress
from bootstrap.resources import resource_directory

_TIMEOUT_S = 900
_CONFIG = """\
[defaults]
host_key_checking = True
retry_files_enabled = False
localhost_warning = False
gathering = explicit
forks = 20
timeout = 60

[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = {control_path}
control_path = %(directory)s/%%C
"""
#: What Ansible and ssh need of the caller's environment; everything else is left out.
_KEPT = ("HOME", "PATH", "USER", "LOGNAME", "TZ", "VIRTUAL_ENV")
#: Ansible refuses to start in a locale that is not UTF-8 or not installed; this always is.
_LOCALE = "C.UTF-8"


class AnsiblePlaybookRunner:
    """Implements :class:`bootstrap.ports.PlaybookRunner`; see there for the promises."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        """See the port."""
        names = [node.name for node in nodes]
        logs = private_directory(plan.state_directory / "logs")
        with (
            _private(plan.state_directory / "ansible") as directory,
            _control_path() as control_path,
            open(logs / "ansible.log", "a", encoding="utf-8", opener=private) as log,
        ):
            events = EventLog(
                started=self._progress.node, line=lambda line: print(line, file=log, flush=True)
            )
            exit_code = _play(
                plan,
                names,
                directory=directory,
                control_path=control_path,
                secrets=secrets,
                events=events,
            )
        if exit_code == TIMED_OUT:
            raise TimedOutError(
                f"Timed out after {_TIMEOUT_S * plan.patience} s running the playbook.",
                hint=f"bootstrap logs {plan.name}",
            )
        return events.result(names, hint=f"bootstrap logs {plan.name}")


def _play(  # noqa: PLR0913 - a private step of run, which holds all of it
    plan: ClusterPlan,
    names: Sequence[str],
    *,
    directory: Path,
    control_path: Path,
    secrets: Mapping[str, object],
    events: EventLog,
) -> int | None:
    import ansible_runner  # noqa: PLC0415 - takes a second that most commands need not pay

    config = directory / "ansible.cfg"
    config.write_text(_CONFIG.format(control_path=control_path))
    write_atomically(directory / "secrets.json", json.dumps(_as_data(secrets)))
    playbooks = resource_directory("playbooks")
    # Ansible takes plugins from its home without being told, in place of its own. Modules that
    # run on this host unpack themselves, and who is killed removes nothing.
    places = dict.fromkeys(("ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "TMPDIR"), str(directory))
    with _environment({"ANSIBLE_CONFIG": str(config), **places}):
        configured = ansible_runner.RunnerConfig(
            private_data_dir=str(directory),
            project_dir=str(playbooks),
            playbook="cluster.yml",
            inventory=str(plan.state_directory / "inventory.yml"),
            roles_path=str(playbooks / "roles"),
            limit=",".join(names),
            cmdline=f"-e @{shlex.quote(str(directory / 'secrets.json'))}",
            quiet=True,
        )
        configured.prepare()
        # ansible-runner's own time limit would end the first process alone, and it has the
        # program ignore the end of its terminal, which is all that comes of our death.
        configured.command = reaped(
            configured.command, timeout_s=_TIMEOUT_S * plan.patience, place=control_path
        )
        # Without a callback for cancelling, it leaves our signal handlers alone.
        runner = ansible_runner.Runner(configured, event_handler=events.handle)
        _, exit_code = runner.run()
    # None of one that was killed itself; the nodes' events are what counts.
    return None if exit_code is None else int(exit_code)


def _as_data(value: object) -> object:
    """Mark every text, so that Ansible takes none of it for a template (A-08)."""
    match value:
        case str():
            return {"__ansible_unsafe": value}
        case Mapping():
            return {key: _as_data(item) for key, item in value.items()}
        case _:
            return value


@contextlib.contextmanager
def _private(directory: Path) -> Iterator[Path]:
    """Give an empty private directory that is gone afterwards, also one that a kill left."""
    shutil.rmtree(directory, ignore_errors=True)
    private_directory(directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _control_path() -> Iterator[Path]:
    """Give a short directory for ssh's sockets, whose paths may have 108 bytes (S-05)."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # One that is relative is no such directory, and after `su` it may be another user's.
    base = runtime if runtime.is_absolute() and os.access(runtime, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="bs-", dir=base) as directory:
        yield Path(directory)


@contextlib.contextmanager
def _environment(ours: Mapping[str, str]) -> Iterator[None]:
    """Show ansible-runner, which copies our environment, only what it needs (A-07)."""
    before = dict(os.environ)
    kept = {name: before[name] for name in _KEPT if name in before} | {"LC_ALL": _LOCALE}
    # ansible-playbook lies beside the interpreter, which need not be on the user's PATH.
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    os.environ.clear()
    os.environ.update({**kept, **ours})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
