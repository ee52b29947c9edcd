"""The tasks of the cluster's roles that do not run on a node."""

from collections.abc import Mapping, Sequence

import yaml

from bootstrap.resources import resource_directory

ROLES = resource_directory("playbooks") / "roles"
OWN = "{{ lookup('ansible.builtin.config', 'DEFAULT_LOCAL_TMP') }}"


def flat(tasks: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    found = list(tasks)
    for task in tasks:
        for name in ("block", "rescue", "always"):
            inner = task.get(name, [])
            assert isinstance(inner, list)
            found += flat(inner)
    return found


def test_tasks_on_this_host_leave_no_files_in_the_users_home() -> None:
    """G-01: Ansible would make ~/.ansible/tmp there, and who is killed removes nothing."""
    files = ROLES.rglob("tasks/*.yml")
    tasks = [task for file in files for task in flat(yaml.safe_load(file.read_text()))]
    here = [task for task in tasks if "delegate_to" in task]
    assert [task["name"] for task in here] == [
        "Wait for the API server as the hypervisor host reaches it"
    ]
    assert [task["vars"] for task in here] == [{"ansible_remote_tmp": OWN}]
