"""Say in Ansible's and OpenSSH's own files how to reach the nodes. Pure.

Both files are the user's to take away: ``ansible -i inventory.yml -m ping all`` works.
"""

import shlex
from pathlib import Path

from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import INIT_CONFIG, NODE_USER

_KUBEADM_TIMEOUT_S = 300

#: Each line shuts out something of the user's or the system's own SSH set-up (SEC-02).
_SSH_OPTIONS = (
    "HostName 127.0.0.1",
    f"User {NODE_USER}",
    "StrictHostKeyChecking yes",
    "GlobalKnownHostsFile /dev/null",
    "HostKeyAlgorithms ssh-ed25519",
    "UpdateHostKeys no",
    "BatchMode yes",
    "IdentitiesOnly yes",
    "IdentityAgent none",
    "ForwardAgent no",
    "PasswordAuthentication no",
    "PreferredAuthentications publickey",
    "ServerAliveInterval 15",
    "ServerAliveCountMax 8",
    "LogLevel ERROR",
)


def ssh_directory(plan: ClusterPlan) -> Path:
    """Name the directory of the cluster's SSH files."""
    return plan.state_directory / "ssh"


def archive_path(plan: ClusterPlan, node: NodePlan) -> Path:
    """Name the archive of a node's files."""
    return plan.state_directory / "nodes" / f"{node.name}.files"


def ssh_config(plan: ClusterPlan, *, client_key: Path) -> str:
    """Write the configuration file for ``ssh -F``; each node is a host by its name."""
    blocks = []
    for node in plan.nodes:
        lines = [
            f"Host {node.name}",
            f"Port {node.ssh_port}",
            f"HostKeyAlias {node.name}",
            f'IdentityFile "{client_key}"',
            f'UserKnownHostsFile "{ssh_directory(plan) / "known_hosts"}"',
            *_SSH_OPTIONS,
        ]
        blocks.append("\n  ".join(lines))
    return "\n\n".join(blocks) + "\n"


def inventory(plan: ClusterPlan) -> dict[str, object]:
    """Give the inventory as the mapping that Ansible reads from YAML."""
    timeout = _KUBEADM_TIMEOUT_S * plan.patience
    return {
        "all": {
            "vars": {
                "ansible_ssh_common_args": f"-F {shlex.quote(str(ssh_directory(plan) / 'config'))}",
                "ansible_python_interpreter": "/usr/bin/python3",
                "kubeadm_init_config": INIT_CONFIG,
                "kubeadm_init_server": plan.server,
                "kubeadm_init_ca": str(plan.state_directory / "ca.crt"),
                "kubeadm_init_timeout": timeout,
                "kubeadm_join_timeout": timeout,
                "kubeadm_join_configs": {},
            },
            "children": {
                "control_planes": {"hosts": _hosts(plan, plan.control_planes)},
                "workers": {"hosts": _hosts(plan, plan.workers)},
            },
        }
    }


def _hosts(plan: ClusterPlan, nodes: tuple[NodePlan, ...]) -> dict[str, object]:
    return {node.name: {"node_files_archive": str(archive_path(plan, node))} for node in nodes}
