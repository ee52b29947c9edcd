"""The nodes of a cluster: look at them, use one, add, remove and replace them."""

from __future__ import annotations  # the workflow is imported for type checks only

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.life import Life
from bootstrap.api.reaching import TIMEOUT_S, Reaching
from bootstrap.api.records import Records
from bootstrap.config.flags import Flags
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.spec import NodeRole
from bootstrap.ports import ShellResult

if TYPE_CHECKING:
    from bootstrap.workflow.node_changes import RemovalResult
    from bootstrap.workflow.up import UpResult


class Members(Life, Records, Reaching):
    """A cluster's nodes."""

    def nodes(self) -> Sequence[Node]:
        """List the nodes, as libvirt knows them now.

        :raises NotFoundError: if the cluster does not exist.
        """
        with self._run("nodes") as ports:
            return [
                self._node(domain)
                for domain in workflow.nodes.existing_domains(self._cluster, ports)
            ]

    def node(self, name: str) -> Node:
        """Return one node.

        :raises NotFoundError: if the cluster does not exist.
        :raises UsageError: if there is no such node.
        """
        with self._run("nodes") as ports:
            domains = workflow.nodes.existing_domains(self._cluster, ports)
            return self._node(workflow.nodes.find_node(domains, name))

    def add_nodes(  # noqa: PLR0913 - one argument for each option of the command
        self,
        count: int = 1,
        *,
        cpus: int | None = None,
        memory: str | None = None,
        disk: str | None = None,
        kubelet_version: str | None = None,
        allow_overcommit: bool = False,
    ) -> UpResult:
        """Add workers, and verify the cluster; what is not given is as with the worker before.

        If it is interrupted, ``up`` with the cluster's name finishes it; the same call again would
        add more.
        """
        sizes = Flags(cpus=cpus, memory=memory, disk=disk, kubelet_version=kubelet_version)
        options = workflow.up.UpOptions(
            chosen=sizes.chosen_facts(),
            allow_overcommit=allow_overcommit,
            keep=True,
            use=False,
            adding=count,
        )
        named = {"name": self.name, "hypervisor": self.client.hypervisor}
        with self._run("node add") as ports:
            from bootstrap.config.load import load_spec  # noqa: PLC0415 - takes time to load

            return workflow.up.up(load_spec(None, Flags(**named, **sizes.values)), ports, options)

    def remove_nodes(
        self, *names: str, force: bool = False, timeout_s: float | None = None
    ) -> RemovalResult:
        """Drain workers, remove them, and verify the rest; ``force`` does not drain.

        :raises TimedOutError: if pods do not leave in ``timeout_s`` seconds; every node stays.
        """
        with self._run("node remove") as ports:
            removal = workflow.node_removal.Removal(force=force, timeout_s=timeout_s)
            return workflow.node_changes.remove_nodes(self._spec(), names, ports, removal)

    def replace_node(
        self,
        name: str,
        *,
        force: bool = False,
        timeout_s: float | None = None,
        allow_overcommit: bool = False,
    ) -> UpResult:
        """Remove a worker and make it anew under its name, with its size and labels; verify."""
        options = workflow.up.UpOptions(
            chosen=None,
            allow_overcommit=allow_overcommit,
            keep=True,
            use=False,
            removal=workflow.node_removal.Removal(force=force, timeout_s=timeout_s, verb="replace"),
        )
        with self._run("node replace") as ports:
            return workflow.node_changes.replace_node(self._spec(), name, ports, options)

    def _node(self, domain: Domain) -> Node:
        return Node(
            cluster=self,
            name=domain.name,
            role=domain.mark.role,
            state=domain.state,
            kubelet_version=domain.kubelet_version,
            address=domain.mark.facts.get("address", ""),
            ssh_port=domain.ssh_port,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node, as it was when it was looked up."""

    cluster: Members
    name: str
    role: NodeRole | None
    state: DomainState
    kubelet_version: str
    #: In the cluster's own network.
    address: str
    #: On 127.0.0.1 of this host.
    ssh_port: int

    def run(
        self, command: str, *, stdin: str = "", timeout_s: float = TIMEOUT_S, check: bool = True
    ) -> ShellResult:
        """Run a shell command here as root; see :meth:`Cluster.run`."""
        return self.cluster.run(
            command, node=self.name, stdin=stdin, timeout_s=timeout_s, check=check
        )

    def ssh_command(self, *command: str) -> Sequence[str]:
        """Return the command line that logs in here, or runs a command here as the node's user."""
        return self.cluster.ssh_command(self.name, *command)

    def logs(self) -> Path:
        """Save all that explains this node in one archive without secrets; return its path."""
        return self.cluster.logs(self.name)

    def console(self) -> str:
        """Return what this node wrote to its console since its last start."""
        return self.cluster.console(self.name)

    def stop(self) -> None:
        """Shut this node down."""
        self.cluster.stop(self.name)

    def start(self) -> None:
        """Make this node run again, and verify the nodes that run."""
        self.cluster.start(self.name)
