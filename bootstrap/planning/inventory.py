"""Render Ansible's inventory and OpenSSH's files, which say how to reach the nodes. Pure.

The user may take them away: ``ansible -i inventory.yml -m ping all`` works.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from bootstrap.model.keys import check_alias
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import INIT_CONFIG, NODE_USER

_KUBEADM_TIMEOUT_S = 300

#: Each line excludes a part of the user's or the system's own SSH configuration (SEC-02).
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


def archive_name(node: str) -> str:
    """Return the path, in the state directory, of the archive of a node's files."""
    return f"nodes/{node}.files"


def known_hosts(host_keys: Mapping[str, str]) -> str:
    """Render a known_hosts file that pins each public key under its ``HostKeyAlias``.

    :raises ValueError: if an alias has characters that known_hosts gives a meaning.
    """
    lines = []
    for alias, line in host_keys.items():
        check_alias(alias)
        kind, key, _comment = line.split()
        lines.append(f"{alias} {kind} {key}\n")
    return "".join(lines)


def ssh_config(plan: ClusterPlan, *, client_key: Path) -> str:
    """Render the configuration file for ``ssh -F``; each node is a host by its name."""
    blocks = []
    for node in plan.nodes:
        lines = [
            f"Host {node.name}",
            f"Port {node.ssh_port}",
            f"HostKeyAlias {node.name}",
            f'IdentityFile "{client_key}"',
            f'UserKnownHostsFile "{plan.state_directory / "ssh" / "known_hosts"}"',
            *_SSH_OPTIONS,
        ]
        blocks.append("\n  ".join(lines))
    return "\n\n".join(blocks) + "\n"


def inventory(plan: ClusterPlan) -> dict[str, object]:
    """Return the inventory as the mapping that Ansible reads from YAML."""
    config = plan.state_directory / "ssh" / "config"
    timeout = _KUBEADM_TIMEOUT_S * plan.patience
    return {
        "all": {
            "vars": {
                "ansible_ssh_common_args": f"-F {shlex.quote(str(config))}",
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
    return {
        node.name: {"node_files_archive": str(plan.state_directory / archive_name(node.name))}
        for node in nodes
    }
