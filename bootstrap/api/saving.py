"""Save a cluster whole, and go back to what was saved."""

from __future__ import annotations  # the workflow is imported for type checks only

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.handle import Handle
from bootstrap.api.names import snapshot_id
from bootstrap.model.snapshot import Snapshot

if TYPE_CHECKING:
    from bootstrap.workflow.snapshots import SaveResult
    from bootstrap.workflow.up import UpResult


class Saving(Handle):
    """The snapshots of a cluster."""

    def snapshot(
        self, name: str | None = None, *, note: str = "", stop: bool = False
    ) -> SaveResult:
        """Verify the cluster, save it with the memory of its machines, and verify it again.

        Its machines are frozen for seconds. Without a name the time is the name. ``stop`` stops
        the cluster afterwards.

        :raises UsageError: if a node does not run, or there is such a snapshot.
        """
        options = workflow.snapshots.SaveOptions(note=note, stop=stop)
        with self._run("snapshot save") as ports:
            chosen = snapshot_id(name or workflow.snapshots.new_name(ports.now()), self._cluster)
            return workflow.snapshots.save(self._spec(), chosen, ports, options)

    def restore(self, snapshot: str | None = None) -> UpResult:
        """Make the cluster what it was when it was saved, the newest time by default; verify it.

        What it has become since is lost. A cluster that is gone comes back.

        :raises NotFoundError: if there is no such snapshot.
        """
        with self._run("snapshot restore") as ports:
            newest = workflow.snapshots.newest(self._cluster, ports) if snapshot is None else None
            chosen = newest or snapshot_id(str(snapshot), self._cluster)
            return workflow.restoring.restore(self._spec(), chosen, ports)

    def reset(self) -> UpResult:
        """Restore the newest snapshot; a clone without any, the one that it was made of."""
        with self._run("reset") as ports:
            return workflow.restoring.reset(self._spec(), ports)

    def snapshots(self) -> Sequence[Snapshot]:
        """List the snapshots of this cluster, the oldest first."""
        return self.client.snapshots(self.name)
