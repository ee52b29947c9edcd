"""Begin a command: from the words that a user typed to the ports of a site or a cluster."""

from typing import TYPE_CHECKING

import click

from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import SnapshotId
from bootstrap.ports import RunEvents
from bootstrap.workflow.environment import Ports, SitePorts

if TYPE_CHECKING:
    from bootstrap.composition import Composition


def cluster_name(text: str) -> ClusterName:
    """Read a cluster's name from the command line.

    :raises UsageError: if it is not one.
    """
    try:
        return ClusterName(text)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="bootstrap list") from error


def snapshot_id(cluster: ClusterName, text: str) -> SnapshotId:
    """Read a snapshot's name; one of another cluster is named as ``CLUSTER/SNAPSHOT``.

    :raises UsageError: if it is not one.
    """
    other, slash, name = text.rpartition("/")
    try:
        return SnapshotId(ClusterName(other) if slash else cluster, name)
    except ValueError as error:
        raise UsageError(f"{error}.", hint="bootstrap snapshot list") from error


def named_snapshot(text: str, ports: SitePorts) -> SnapshotId:
    """Read ``CLUSTER/SNAPSHOT``; ``CLUSTER`` alone stands for its newest one.

    :raises UsageError: if it is neither, or the cluster has no snapshot.
    """
    from bootstrap.workflow.snapshots import newest  # noqa: PLC0415 - not for --help

    if "/" in text:
        return snapshot_id(ClusterName("unused"), text)
    return newest(cluster_name(text), ports)


def existing_cluster(name: str | None, uri: str | None = None) -> ClusterName:
    """Read a cluster's name; without one, the only cluster at this libvirt is meant.

    :raises UsageError: if it is no name, or there are several clusters or none.
    """
    from bootstrap.workflow.listing import list_clusters  # noqa: PLC0415 - not for --help

    if name is not None:
        return cluster_name(name)
    found = [str(cluster.name) for cluster in list_clusters(open_site(uri))]
    if len(found) != 1:
        clusters = f"There are several: {', '.join(found)}." if found else "There is none."
        raise UsageError("Name a cluster.", details=clusters, hint="bootstrap list")
    return cluster_name(found[0])


def composition() -> "Composition":
    """Return the composition root: the caller's, or else the real one."""
    from bootstrap.composition import Composition  # noqa: PLC0415 - not for --help

    return click.get_current_context().find_object(Composition) or Composition()


def open_site(uri: str | None = None, *, events: RunEvents | None = None) -> SitePorts:
    """Return the ports of the libvirt that the user named, or of the default one."""
    root = composition()
    return root.site_ports(events or root.plain_events(), uri)


def open_cluster(
    cluster: ClusterName, uri: str | None = None, *, events: RunEvents | None = None
) -> Ports:
    """Return the ports of a cluster, at the libvirt where it was made."""
    root = composition()
    return root.cluster_ports(cluster, events or root.plain_events(), uri)
