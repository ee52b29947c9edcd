"""How a booted node is reached and changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bootstrap.model.plan import ClusterPlan, NodePlan


class Reachable(Protocol):
    """A node, planned or existing, as far as it takes to reach it."""

    @property
    def name(self) -> str:
        """The node's name."""

    @property
    def ssh_port(self) -> int:
        """Port on 127.0.0.1 that leads to its SSH server."""

    @property
    def directory(self) -> Path:
        """Where its volumes are; the cluster's name is the last part but one."""

    @property
    def console_log(self) -> Path:
        """What it writes to its serial console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellResult:
    """How a command on a node ended."""

    exit_status: int
    stdout: str
    stderr: str


class NodeShell(Protocol):
    """Runs commands on a node over a connection whose key was known before."""

    def is_ready(self, node: Reachable) -> None:
        """Return when the node takes our key and has finished its first boot.

        :raises NotYet: while it does not, saying what was seen.
        :raises BootstrapError: if another key answers; that is never retried.
        """

    def run(
        self, node: Reachable, command: str, *, timeout_s: float, stdin: str = ""
    ) -> ShellResult:
        """Run one command as root and wait for its end.

        A secret goes through ``stdin``: commands are reported.
        """

    def follow(self, node: Reachable, command: str) -> Iterator[str]:
        """Run one command as root, and yield each line of its output as soon as it comes.

        Goes on until the command ends; closing the iterator ends it.

        :raises NotYet: if the node does not answer.
        :raises BootstrapError: if another key answers, or the connection is lost.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookResult:
    """What a playbook did on each node, from Ansible's own events."""

    changed: Mapping[str, int]
    #: Nodes that ran the playbook's last task.
    finished: frozenset[str]


class PlaybookRunner(Protocol):
    """Runs the cluster's playbook."""

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        """Run the playbook on ``nodes``; ``secrets`` reach it in a private file only.

        What fails on one node does not keep the others from going on.

        :raises BootstrapError: naming node and task, if a task failed, a node was
            unreachable or a node did not reach the last task.
        """
