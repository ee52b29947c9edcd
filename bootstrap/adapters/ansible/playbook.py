"""Run a playbook by ansible-runner, without the Ansible and SSH settings of the user."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from bootstrap.adapters.ansible.events import EventLog
from bootstrap.adapters.events.commands import log_command
from bootstrap.adapters.files import write_atomically

#: What Ansible and ssh need of the caller's environment; nothing else reaches them (A-07).
_KEPT = ("HOME", "PATH", "USER", "LOGNAME", "TZ", "VIRTUAL_ENV")


def run_playbook(  # noqa: PLR0913 - each argument is one property of a run
    playbook: Path,
    directory: Path,
    *,
    inventory: Path,
    variables: Mapping[str, object],
    events: EventLog,
    limit: Collection[str] = (),
    sockets: Path | None = None,
    supervised: Callable[[list[str]], list[str]] = list,
    asked: Callable[[], None] = lambda: None,
) -> int | None:
    """Run ``playbook`` and return the exit code, None if a signal ended the process itself.

    ``events`` learns what each host did; that, and not the exit code, says whether the run
    succeeded. ``directory`` is private and the caller removes it; the ``variables``, which may
    hold secrets, reach Ansible in a file there, as data and never as templates (A-08). ssh
    makes its sockets in ``sockets``. ``supervised`` returns the command that runs a command.
    ``asked`` is called every few seconds, and may end it.

    Threads may call this at the same time: the environment of this process stays as it is.
    """
    import ansible_runner  # noqa: PLC0415 - takes a second that most commands need not pay

    secrets = directory / "secrets.json"
    write_atomically(secrets, json.dumps(_as_data(variables)))
    (directory / "ansible.cfg").touch()
    wanted = _environment(playbook.parent, directory, sockets or directory)
    configured = ansible_runner.RunnerConfig(
        private_data_dir=str(directory),
        project_dir=str(playbook.parent),
        playbook=playbook.name,
        inventory=str(inventory),
        limit=",".join(limit) or None,
        cmdline=f"-e @{shlex.quote(str(secrets))}",
        quiet=True,
        # It copies the environment of this process. Emptied here, so that it builds nothing on
        # the user's values, and left out below.
        envvars=dict.fromkeys(os.environ, "") | wanted,
    )
    configured.prepare()
    configured.env = {name: value for name, value in configured.env.items() if value}
    log_command(configured.command)
    configured.command = supervised(configured.command)
    # It could cancel as well, but would kill the reaper first, and with it none of the others.
    runner = ansible_runner.Runner(configured, cancel_callback=asked, event_handler=events.handle)
    _, exit_code = runner.run()
    return None if exit_code is None else int(exit_code)


def _environment(playbooks: Path, directory: Path, sockets: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # ansible-playbook lies beside the interpreter, which need not be on the user's PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    # Ansible loads plugins from its home before its own. Modules that run on this host unpack
    # themselves into the temporary directory, and a kill leaves them there.
    places = dict.fromkeys(("ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "TMPDIR"), str(directory))
    return (
        {"HOME": str(directory)}
        | kept
        | places
        | {
            "PATH": path,
            # Ansible refuses to start in a locale that is not UTF-8 or not installed; this one is.
            "LC_ALL": "C.UTF-8",
            # Empty: without it, Ansible reads the user's.
            "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(playbooks / "roles"),
            "ANSIBLE_CONNECTION_PLUGINS": str(playbooks / "connection_plugins"),
            "ANSIBLE_GATHERING": "explicit",
            "ANSIBLE_FORKS": "20",
            "ANSIBLE_TIMEOUT": "60",
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            # ansible-runner sets it to False, which overrides StrictHostKeyChecking of the
            # inventory's SSH configuration (SEC-02).
            "ANSIBLE_HOST_KEY_CHECKING": "True",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(sockets),
            "ANSIBLE_SSH_CONTROL_PATH": "%(directory)s/%%C",
        }
    )


def _as_data(value: object) -> object:
    """Mark every text, so that Ansible does not treat it as a template."""
    match value:
        case str():
            return {"__ansible_unsafe": value}
        case Mapping():
            return {key: _as_data(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_data(item) for item in value]
        case _:
            return value
