"""The tasks of the cluster's roles that do not run on a node."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
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


LATE = """error: error execution phase addon/coredns: unable to fetch CoreDNS current installed
version and ConfigMap.: Get "https://10.44.0.11:6443/api/v1": net/http: request canceled
(Client.Timeout exceeded while awaiting headers)"""


@pytest.mark.parametrize(
    ("result", "is_last"),
    [
        ({"rc": 0, "failed": False, "stderr": LATE}, True),
        ({"rc": 1, "failed": True, "stderr": LATE}, False),
        ({"rc": 1, "failed": True, "stderr": "etcdserver: request timed out"}, False),
        ({"rc": 1, "failed": True, "stderr": "error: unknown flag: --conf"}, True),
        ({"rc": 124, "failed": True, "stderr": LATE}, True),
        ({"failed": True, "msg": "no such directory"}, True),
    ],
    ids=["success", "late", "late etcd", "wrong", "its own time is up", "not run"],
)
def test_only_a_busy_api_server_is_asked_again(
    tmp_path: Path, result: dict[str, object], *, is_last: bool
) -> None:
    """V-01: on a busy host, each of kubeadm's requests has ten seconds."""
    tasks = yaml.safe_load((ROLES / "kubeadm_init/tasks/main.yml").read_text())
    task = tasks[-1]
    assert (task["retries"], task["register"]) == (2, "__kubeadm_init_second")
    check = {
        "ansible.builtin.assert": {"that": [task["until"]]},
        "vars": {task["register"]: result},
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [check]}
    book = tmp_path / "book.yml"
    book.write_text(yaml.safe_dump([play]))
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [program, "--connection", "local", "--inventory", "localhost,", book],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == is_last, said
    assert is_last or "Assertion failed" in said
