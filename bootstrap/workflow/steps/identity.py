"""Give nodes that another cluster's nodes were saved as keys of their own."""

import shlex
from collections.abc import Mapping
from functools import partial

from bootstrap.errors import BootstrapError
from bootstrap.model.keys import NodeKeys
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.node_files import NODE_USER
from bootstrap.ports import NodeShell, ShellResult
from bootstrap.threads import at_once
from bootstrap.waiting import wait_for
from bootstrap.workflow.environment import Ports

_TIMEOUT_S = 60
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
_AUTHORIZED = f"/home/{NODE_USER}/.ssh/authorized_keys"
#: The new host key comes in by stdin. sshd reads it on SIGHUP, and writes its pid file once it
#: listens anew; connections that exist go on. `systemctl reload` sends the same signal, takes an
#: emulated node 2 s longer, and does not wait until sshd listens.
_REPLACE = (
    f"set -e; umask 077; cat > {_HOST_KEY}.new; printf '%s\\n' {{host}} > {_HOST_KEY}.pub; "
    f"mv {_HOST_KEY}.new {_HOST_KEY}; printf '%s\\n' {{client}} > {_AUTHORIZED}; "
    "pid=$(pgrep -o -x sshd); rm -f /run/sshd.pid; kill -HUP $pid; "
    "until [ -s /run/sshd.pid ]; do sleep 0.1; done"
)


def give_own_keys(plan: ClusterPlan, saved: Mapping[str, str], ports: Ports) -> None:
    """Replace the SSH keys of all nodes, which they have from a snapshot, by the cluster's own.

    ``saved`` are the ones that they have. If it is broken off, the nodes have to be restored anew.

    :raises TimedOutError: if a node cannot be reached.
    """
    shell = ports.shell_with(saved)
    keys = [(node, ports.trust.node_keys(node.name)) for node in plan.nodes]
    at_once(lambda one: _give(*one, plan, shell), keys)


def _give(node: NodePlan, keys: NodeKeys, plan: ClusterPlan, shell: NodeShell) -> None:
    command = _REPLACE.format(
        host=shlex.quote(keys.host_public_key), client=shlex.quote(keys.authorized_key)
    )
    answer: ShellResult = wait_for(
        f"SSH on node '{node.name}'",
        partial(
            shell.run,
            node,
            command,
            timeout_s=_TIMEOUT_S * plan.patience,
            stdin=keys.host_private_key,
        ),
        timeout_s=_TIMEOUT_S * plan.patience,
        hint=f"bootstrap logs {plan.name} {node.name} --console",
    )
    if answer.exit_status != 0:
        raise BootstrapError(
            f"Node '{node.name}' did not take SSH keys of its own.",
            details=answer.stderr or answer.stdout,
            hint=f"bootstrap logs {plan.name} {node.name} --console",
        )
