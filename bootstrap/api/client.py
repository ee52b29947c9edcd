"""All clusters and snapshots of this user."""

from __future__ import annotations  # the workflow is imported for type checks only

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.bundling import Bundling
from bootstrap.api.names import cluster_name, snapshot_id, snapshot_or_newest
from bootstrap.api.stock import Stock
from bootstrap.config.flags import Flags
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import Snapshot

if TYPE_CHECKING:
    from bootstrap.workflow.down import DownResult, Failures
    from bootstrap.workflow.listing import ClusterSummary
    from bootstrap.workflow.up import UpResult


class Client(Stock, Bundling):
    """This user at one libvirt: all clusters and snapshots, and what they are made from."""

    def clusters(self) -> Sequence[ClusterSummary]:
        """List the clusters, as libvirt knows them."""
        with self.run("list") as ports:
            return workflow.listing.list_clusters(ports)

    def only_cluster(self) -> str:
        """Return the name of the only cluster.

        :raises UsageError: if there are several, or none.
        """
        found = [str(cluster.name) for cluster in self.clusters()]
        if len(found) != 1:
            there = f"There are several: {', '.join(found)}." if found else "There is none."
            raise UsageError("Name a cluster.", details=there, hint="bootstrap list")
        return found[0]

    def down_all(
        self, *, with_snapshots: bool = False
    ) -> tuple[Mapping[str, DownResult], Failures]:
        """Remove every cluster; one that cannot be removed keeps no other.

        Return what was removed of each, and the failures of the others, which are not raised.
        """
        with self.run("down --all") as ports:
            results, failures = workflow.down.down_all(ports, with_snapshots=with_snapshots)
            return {str(name): result for name, result in results.items()}, failures

    def start_all(self) -> tuple[Mapping[str, UpResult], Failures]:
        """Start and verify every cluster; one that does not start keeps no other from it.

        Return those that are verified, and the failures of the others, which are not raised.
        """
        with self.run("start --all") as ports:
            names = [found.name for found in workflow.listing.list_clusters(ports)]
            from bootstrap.config.load import load_spec  # noqa: PLC0415 - takes time to load

            specs = {name: load_spec(None, Flags(name=str(name))) for name in names}
            results, failures = workflow.start.start_all(specs, ports)
            return {str(name): result for name, result in results.items()}, failures

    def snapshots(self, cluster: str | None = None) -> Sequence[Snapshot]:
        """List the snapshots of a cluster, or of all."""
        with self.run("snapshot list") as ports:
            return ports.snapshots.list(cluster_name(cluster) if cluster else None)

    def snapshot(self, name: str) -> Snapshot:
        """Return what is known of snapshot ``CLUSTER/SNAPSHOT``, or of the newest of ``CLUSTER``.

        :raises NotFoundError: if there is no such snapshot.
        """
        with self.run("snapshot show") as ports:
            return ports.snapshots.find(snapshot_or_newest(name, ports))

    def clusters_of_snapshots(self) -> Mapping[str, Sequence[ClusterName]]:
        """Name, by snapshot, the clusters whose machines were restored from it last."""
        with self.run("snapshot list") as ports:
            return workflow.snapshots.clusters_of_snapshots(ports)

    def delete_snapshots(self, *names: str) -> None:
        """Delete snapshots, each ``CLUSTER/SNAPSHOT``; clusters that were made of them stay.

        :raises NotFoundError: if there is no such snapshot; those before it are deleted.
        """
        with self.run("snapshot delete") as ports:
            workflow.snapshots.delete_snapshots([snapshot_id(name) for name in names], ports)

    def prune_snapshots(
        self,
        cluster: str | None = None,
        *,
        keep: int | None = None,
        older_than: timedelta | None = None,
        max_bytes: int | None = None,
    ) -> Sequence[str]:
        """Delete the snapshots that are too many for each cluster, too old or too large.

        Return the names of those that are deleted.
        """
        limits = workflow.snapshots.Limits(keep=keep, older_than=older_than, max_bytes=max_bytes)
        only = cluster_name(cluster) if cluster else None
        with self.run("snapshot prune") as ports:
            return [str(one) for one in workflow.snapshots.prune_snapshots(ports, limits, only)]

    def export_snapshot(self, name: str, file: Path) -> Snapshot:
        """Write a snapshot and its node image into a new file, which has the cluster's secrets.

        :raises UsageError: if the file exists.
        """
        with self.run("snapshot export") as ports:
            return workflow.transfer.export_snapshot(snapshot_id(name), file.absolute(), ports)

    def import_snapshot(self, file: Path) -> Snapshot:
        """Take a snapshot out of a file of :meth:`export_snapshot`.

        Only from people whom you trust with this host.
        """
        with self.run("snapshot import") as ports:
            return workflow.transfer.import_snapshot(file.absolute(), ports)
