"""Run the image's playbook on a tree, by ansible-runner."""

import configparser
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ansible_runner

from bootstrap.errors import BootstrapError
from bootstrap.resources import resource_directory

_HOST = "node_image"
_TAIL_LINES = 20


def run_playbook(
    root: Path, work: Path, *, variables: Mapping[str, object], line: Callable[[str], None]
) -> Sequence[str]:
    """Run ``node-image.yml`` on the tree and name the tasks that changed it.

    ``work`` is a private directory that the caller removes.

    :raises BootstrapError: naming the task, if one failed.
    """
    work.mkdir(mode=0o700)
    (work / "variables.json").write_text(json.dumps(variables))
    playbooks = resource_directory("playbooks")
    events = _Events(line)
    runner = ansible_runner.run(
        private_data_dir=str(work),
        playbook=str(playbooks / "node-image.yml"),
        inventory=_inventory(root),
        cmdline=f"-e @{work / 'variables.json'}",
        envvars={
            "ANSIBLE_CONFIG": str(_write_configuration(work, playbooks)),
            "ANSIBLE_HOME": str(work / "home"),
            "HOME": str(work),
        },
        event_handler=events.take,
        quiet=True,
        settings={"suppress_env_files": True},
    )
    if runner.rc != 0 or events.failures:
        raise BootstrapError(
            "Could not make the node image: its playbook failed.",
            details="\n".join(events.failures) or _last_lines(runner),
        )
    return events.changed


def _inventory(root: Path) -> dict[str, object]:
    host = {
        "ansible_connection": "image_root",
        "ansible_host": str(root),
        "ansible_python_interpreter": "/usr/bin/python3",
        # Below /run, which the image leaves empty.
        "ansible_remote_tmp": "/run/ansible",
    }
    return {"all": {"hosts": {_HOST: host}}}


def _write_configuration(work: Path, playbooks: Path) -> Path:
    parser = configparser.ConfigParser()
    parser["defaults"] = {
        "roles_path": str(playbooks / "roles"),
        "connection_plugins": str(playbooks / "connection_plugins"),
        "local_tmp": str(work / "tmp"),
        "retry_files_enabled": "false",
        "pipelining": "true",
    }
    path = work / "ansible.cfg"
    with path.open("w") as file:
        parser.write(file)
    return path


class _Events:
    """Collects what Ansible says while it runs."""

    def __init__(self, line: Callable[[str], None]) -> None:
        self._line = line
        self.changed: list[str] = []
        self.failures: list[str] = []

    def take(self, event: Mapping[str, Any]) -> bool:
        """Take one event; False keeps ansible-runner from storing it."""
        data = event.get("event_data", {})
        task = f"{data.get('role', '')} : {data.get('task', '')}"
        result = data.get("res", {})
        match event.get("event"):
            case "runner_on_ok":
                self._ok(task, is_changed=bool(result.get("changed")))
            case "runner_on_failed" if not data.get("ignore_errors"):
                self.failures.append(f"{task}\n{_evidence(result)}")
            case "runner_on_unreachable":
                self.failures.append(f"{task}: {result.get('msg', '')}")
            case _:
                pass
        return False

    def _ok(self, task: str, *, is_changed: bool) -> None:
        self._line(f"{task}: {'changed' if is_changed else 'ok'}")
        if is_changed:
            self.changed.append(task)


def _evidence(result: Mapping[str, Any]) -> str:
    items = [item for item in result.get("results", [result]) if item.get("failed", True)]
    keys = ("msg", "stdout", "stderr", "module_stderr")
    parts = [str(item.get(key, "")) for item in items for key in keys]
    text = "\n".join(part for part in parts if part.strip())
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def _last_lines(runner: ansible_runner.Runner) -> str:
    return "\n".join(runner.stdout.read().splitlines()[-_TAIL_LINES:])
