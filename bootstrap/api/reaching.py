"""Reach into a cluster: commands on its nodes, kubectl, copies and images."""

from __future__ import annotations  # the workflow is imported for type checks only

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.handle import Handle
from bootstrap.errors import BootstrapError
from bootstrap.ports import ShellResult

if TYPE_CHECKING:
    from bootstrap.workflow.loading import Loaded, LoadResult
    from bootstrap.workflow.reaching import KubectlCommand


#: How long a command may take, in seconds.
TIMEOUT_S = 120.0


class Reaching(Handle):
    """What uses a cluster and does not change its machines."""

    def run(
        self,
        command: str,
        *,
        node: str = "control-plane",
        stdin: str = "",
        timeout_s: float = TIMEOUT_S,
        check: bool = True,
    ) -> ShellResult:
        """Run a shell command as root on a node, and return its output when it has ended.

        A secret goes through ``stdin``: commands are reported as events.

        :raises BootstrapError: if the node does not answer; with ``check``, also if the command
            does not exit with 0.
        :raises TimedOutError: if it runs longer than ``timeout_s`` seconds.
        """
        with self._run("run") as ports:
            found = workflow.reaching.run_on_node(
                self._cluster, node, command, ports, stdin=stdin, timeout_s=timeout_s
            )
            return _checked(found, f"{command} (on node '{node}')") if check else found

    def kubectl(
        self, *words: str, stdin: str = "", timeout_s: float = TIMEOUT_S, check: bool = True
    ) -> ShellResult:
        """Run the kubectl of the cluster's own version, and return its output when it has ended.

        :raises HostError: if no such kubectl is built; nothing is built here.
        :raises BootstrapError: with ``check``, if it does not exit with 0.
        :raises TimedOutError: if it runs longer than ``timeout_s`` seconds.
        """
        with self._run("kubectl") as ports:
            command = workflow.reaching.kubectl_command(self._cluster, words, ports)
            found = self.client.composition.run_program(
                command.argv,
                program=command.program,
                variables=command.environment,
                action="run kubectl",
                stdin=stdin,
                timeout_s=timeout_s,
            )
            return _checked(found, shlex.join(command.argv)) if check else found

    def copy(
        self, source: str, target: str, *, recursive: bool = False, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Copy between this host and a node, ``NODE:PATH``; ``recursive`` for directories.

        :raises UsageError: unless exactly one of both is on a node that exists.
        :raises BootstrapError: if the copy fails.
        """
        argv = self.copy_command(source, target, recursive=recursive)
        with self._run("cp"):
            program = self.client.composition.run_program
            _checked(program(argv, action="copy", timeout_s=timeout_s), shlex.join(argv))

    def kubectl_command(self, *words: str) -> KubectlCommand:
        """Return what starts kubectl with the words, for a program that starts it itself."""
        with self._run("kubectl") as ports:
            return workflow.reaching.kubectl_command(self._cluster, words, ports)

    def ssh_command(self, node: str, *command: str) -> Sequence[str]:
        """Return the command line that logs in on a node, or runs a command there as its user."""
        with self._run("ssh") as ports:
            return workflow.reaching.ssh_command(self._cluster, node, command, ports)

    def copy_command(self, source: str, target: str, *, recursive: bool = False) -> Sequence[str]:
        """Return the command line of :meth:`copy`."""
        with self._run("cp") as ports:
            return workflow.reaching.copy_command(
                self._cluster, source, target, ports, recursive=recursive
            )

    def forward_command(self, node: str, *forwards: str) -> Sequence[str]:
        """Return the command line that leads ports of 127.0.0.1 here, ``LOCAL:REMOTE``, there."""
        with self._run("port-forward") as ports:
            return workflow.reaching.forward_command(self._cluster, node, forwards, ports)

    def load_image(self, *sources: Path | str) -> LoadResult:
        """Load container images into every node, and into those that are added later.

        A source is an OCI archive, what ``docker save`` writes, or the name of an image that
        docker, podman or nerdctl on this host has.

        :raises UsageError: if it is neither; nothing is changed then.
        """
        with self._run("image load") as ports:
            return workflow.loading.load_images(self._cluster, [str(one) for one in sources], ports)

    def loaded_images(self) -> Sequence[Loaded]:
        """List the images that were loaded, with the nodes that have them."""
        with self._run("image loaded") as ports:
            return workflow.loading.loaded_images(self._cluster, ports)

    def unload_image(self, *names: str) -> Sequence[str]:
        """Remove images that were loaded from every node; return those that were there."""
        with self._run("image unload") as ports:
            return workflow.loading.unload_images(self._cluster, names, ports)


def _checked(found: ShellResult, command: str) -> ShellResult:
    """Return the result of a command that ended well.

    :raises BootstrapError: with what it printed, if it did not.
    """
    if found.exit_status != 0:
        raise BootstrapError(
            f"A command ended with {found.exit_status}: {command}",
            details=found.stderr or found.stdout,
        )
    return found
