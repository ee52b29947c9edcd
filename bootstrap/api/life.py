"""The life of a cluster: stop and start it, prove it, look at it, remove it."""

from __future__ import annotations  # the workflow is imported for type checks only

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.handle import Handle

if TYPE_CHECKING:
    from bootstrap.workflow.down import DownResult
    from bootstrap.workflow.status import ClusterStatus
    from bootstrap.workflow.stop import RestResult
    from bootstrap.workflow.up import UpResult
    from bootstrap.workflow.verification import Verification
    from bootstrap.workflow.watching import Watch


class Life(Handle):
    """What happens to a cluster that exists."""

    def stop(self, *nodes: str) -> RestResult:
        """Shut down the nodes, or all: workers first. One that does not in time loses its power.

        :raises NotFoundError: if the cluster does not exist.
        """
        with self._run("stop") as ports:
            return workflow.stop.stop(self._cluster, nodes, ports)

    def start(self, *nodes: str) -> UpResult:
        """Make the nodes, or all, run beside those that do, and verify them.

        :raises NotFoundError: if the cluster does not exist.
        """
        with self._run("start") as ports:
            return workflow.start.start(self._spec(), nodes, ports)

    def reboot(self, *nodes: str) -> UpResult:
        """Shut down the nodes, or all, start them again, and verify the cluster."""
        with self._run("reboot") as ports:
            return workflow.start.reboot(self._spec(), nodes, ports)

    def suspend(self, *nodes: str) -> RestResult:
        """Freeze the nodes, or all, in memory."""
        with self._run("suspend") as ports:
            return workflow.stop.suspend(self._cluster, nodes, ports)

    def resume(self, *nodes: str) -> UpResult:
        """Let suspended nodes go on, set their clocks, and verify the cluster."""
        with self._run("resume") as ports:
            return workflow.start.resume(self._spec(), nodes, ports)

    def verify(self, *, check: bool = True) -> Verification:
        """Repeat the checks of ``up`` through the cluster's kubeconfig.

        :raises VerifyError: if one fails; without ``check``, only if not every node runs.
        :raises NotFoundError: if the cluster does not exist.
        """
        with self._run("verify") as ports:
            found = workflow.verification.verify(self._cluster, ports)
            if check:
                found.refuse_failed(self._cluster, hint=f"bootstrap logs {self.name}")
            return found

    def status(self) -> ClusterStatus:
        """Look at the cluster, well or not; the API server is asked once and not waited for.

        :raises NotFoundError: if the cluster does not exist.
        """
        with self._run("status") as ports:
            return workflow.status.status(self._cluster, ports)

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Return what looks at the cluster again and again in the block, with its load."""
        with self._run("top") as ports:
            yield workflow.watching.Watch(self._cluster, ports)

    def down(self, *, with_snapshots: bool = False) -> DownResult:
        """Remove everything of the cluster but its snapshots; does nothing if there is nothing.

        :raises BootstrapError: with everything that is left, and why.
        """
        with self._run("down") as ports:
            return workflow.down.down(self._cluster, ports, with_snapshots=with_snapshots)
