"""Do with the real adapters what `up` does on this host, and print what came of it as JSON.

Run as a program of its own, since most of an environment counts only when one starts.
"""

import json
import sys
import uuid
from dataclasses import asdict, replace
from pathlib import Path

import yaml

from bootstrap.adapters.ansible.runner import AnsiblePlaybookRunner
from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.adapters.process import run
from bootstrap.adapters.ssh.shell import NodeAccess, SshShell
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.model.kubeconfig import build_kubeconfig
from bootstrap.model.names import ClusterName
from bootstrap.planning.inventory import inventory, known_hosts, ssh_config
from bootstrap.ports import ExpectedNode
from tests.builders import a_cluster_spec, a_plan
from tests.contract.test_shell import Node, parsed
from tests.fakes.api_server import FakeApiServer
from tests.fakes.events import FakeEvents
from tests.fakes.ssh_server import Answer, ssh_server

_TASKS = [
    {
        "name": "Look",
        "ansible.builtin.shell": "env > '{{ seen }}/environment'; date -d @0 +%s; "
        "locale | grep CTYPE",
        "changed_when": True,
    },
    {"name": "Say", "ansible.builtin.debug": {"msg": "{{ join | upper }} {{ 'i' | upper }}"}},
    {"name": "Finish", "ansible.builtin.debug": {"msg": "done"}},
]


def played(directory: Path) -> object:
    plan = replace(a_plan(a_cluster_spec(workers=0)), state_directory=directory / "demo")
    playbooks, state = directory / "playbooks", private_directory(plan.state_directory)
    playbooks.mkdir()
    tasks = [{"hosts": "all", "gather_facts": False, "tasks": _TASKS}]
    (playbooks / "cluster.yml").write_text(yaml.safe_dump(tasks))
    document = inventory(plan)
    document["all"]["vars"] |= {  # type: ignore[index]
        "ansible_connection": "local",
        "ansible_remote_tmp": str(directory / "modules"),
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "seen": str(directory),
    }
    write_atomically(state / "inventory.yml", yaml.safe_dump(document))
    adapter = AnsiblePlaybookRunner(FakeEvents(), playbooks=playbooks)
    result = adapter.run(plan, plan.nodes, secrets={"join": "token"})
    log = (state / "logs" / "ansible.log").read_text().splitlines()
    return {"changed": dict(result.changed), "finished": sorted(result.finished), "log": log}


def ordered(directory: Path) -> object:
    trust = TrustStore(directory / "keys")
    own = trust.ensure_client_key()
    host = trust.ensure_host_key("worker")
    access = NodeAccess(
        user="node", client_private_key=own.private_text, host_public_key=host.public_line
    )
    with ssh_server(parsed(host), own.public_line) as server:
        server.answer = Answer(stdout="ıİ é".encode(), exit_status=3)
        shell = SshShell(lambda _node: access, timeout_s=30)
        result = asdict(shell.run(Node(server.port), "true", timeout_s=30))
        return [result, [server.users, server.commands]]


def logged_in(directory: Path) -> object:
    """Run a command by OpenSSH, through the file that Ansible and the user get."""
    trust = TrustStore(directory / "login")
    own = trust.ensure_client_key()
    plan = replace(a_plan(a_cluster_spec(workers=0)), state_directory=directory / "login" / "demo")
    (node,) = plan.nodes
    host = trust.ensure_host_key(node.name)
    private_directory(plan.state_directory)
    place = private_directory(plan.state_directory / "ssh")
    write_atomically(place / "known_hosts", known_hosts({node.name: host.public_line}))
    with ssh_server(parsed(host), own.public_line) as server:
        server.answer = Answer(stdout=b"well")
        here = replace(plan, nodes=(replace(node, ssh_port=server.port),))
        config = ssh_config(here, client_key=trust.client_key_file)
        write_atomically(place / "config", config)
        argv: list[str | Path] = ["ssh", "-F", place / "config", "--", node.name, "true"]
        done = run(argv, action="log in", timeout_s=60, check=False)
        return [asdict(done), server.users, server.commands]


def verified(directory: Path) -> object:
    fake = FakeApiServer()
    expected = [
        ExpectedNode(name=node.name, address=node.address, kubelet_version=node.kubelet)
        for node in fake.nodes
    ]
    api = KubernetesClusterApi(
        clock=fake.clock, sleep=fake.clock.sleep, now=fake.clock.utc, random_suffix=lambda: "abcd"
    )
    with fake.running():
        results = api.verify(fake.kubeconfig(directory), expected, patience=1)
    return [[result.name, result.ok] for result in results]


def written(directory: Path) -> object:
    document = build_kubeconfig(ClusterName("demo"), "https://127.0.0.1:6443", "ca", "crt", "key")
    place = private_directory(directory / "own")
    write_atomically(place / "kubeconfig", yaml.safe_dump(document, sort_keys=False))
    return (place / "kubeconfig").read_text()


def modes(directory: Path) -> object:
    """List every file of ours with its mode."""
    ours = [directory / name for name in ("demo", "keys", "login", "own")]
    paths = sorted(path for top in ours for path in (top, *top.rglob("*")))
    return [[str(path.relative_to(directory)), oct(path.stat().st_mode & 0o7777)] for path in paths]


_WORKS = (played, ordered, logged_in, verified, written, modes)


def main(directory: Path) -> None:
    told = {work.__name__: work(directory) for work in _WORKS}
    found = find_directories()
    told["absolute"] = all(path.is_absolute() for path in (found.state, found.cache, found.volumes))
    told["install"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, "demo"))
    print(json.dumps(told))  # noqa: T201 - its result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
