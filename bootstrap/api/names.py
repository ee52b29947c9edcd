"""Read the names that a caller gives, as text."""

from __future__ import annotations  # the workflow is imported for type checks only

from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import SnapshotId

if TYPE_CHECKING:
    from bootstrap.workflow.environment import SitePorts


def cluster_name(text: str) -> ClusterName:
    """Read a cluster's name.

    :raises UsageError: if it is not one.
    """
    try:
        return ClusterName(text)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="bootstrap list") from error


def snapshot_id(text: str, cluster: ClusterName | None = None) -> SnapshotId:
    """Read ``CLUSTER/SNAPSHOT``; of ``cluster``, ``SNAPSHOT`` will do.

    :raises UsageError: if it is neither.
    """
    other, slash, name = text.rpartition("/")
    try:
        return SnapshotId(ClusterName(other) if slash or cluster is None else cluster, name)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="bootstrap snapshot list") from error


def snapshot_or_newest(text: str, ports: SitePorts) -> SnapshotId:
    """Read ``CLUSTER/SNAPSHOT``; ``CLUSTER`` alone stands for its newest one.

    :raises UsageError: if it is neither, or the cluster has no snapshot.
    """
    return (
        snapshot_id(text) if "/" in text else workflow.snapshots.newest(cluster_name(text), ports)
    )
