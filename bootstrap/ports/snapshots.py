"""Saved clusters."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from bootstrap.model.cluster import NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import Snapshot, SnapshotId


class SnapshotFiles(Protocol):
    """Where the files of one snapshot are."""

    def memory(self, node: str) -> Path:
        """Return the file of a node's memory and devices."""

    def disk(self, node: str) -> Path:
        """Return the file of a node's root volume."""

    def archive(self, file: str) -> Path:
        """Return the file of an archive of images, which the cluster kept as ``file``."""


class SnapshotDraft(SnapshotFiles, Protocol):
    """A snapshot that is being saved; no command finds it before it is published."""

    def publish(self, snapshot: Snapshot, keys: Mapping[str, str]) -> Snapshot:
        """Make it a snapshot, whole and on storage; ``keys`` are the cluster's secrets.

        Return it with its files.
        """


class Snapshots(Protocol):
    """Holds snapshots, each whole or absent, in a directory for each cluster."""

    def saving(
        self, snapshot: SnapshotId, *, needed_bytes: int
    ) -> AbstractContextManager[SnapshotDraft]:
        """Yield a draft, which goes away at the end of the block unless it was published.

        The caller holds the cluster's lock. What a killed run left of another draft goes, too.

        :raises UsageError: on entry, if there is such a snapshot.
        :raises HostError: on entry, if less than ``needed_bytes`` are free.
        :raises NotOursError: on entry, if the cluster's directory does not carry our marker.
        """

    def making(self, snapshot: SnapshotId) -> AbstractContextManager[None]:
        """Keep other processes from making the same snapshot; waits for one that does.

        :raises LockedError: on entry, if that takes longer than two hours.
        """

    def list(self, cluster: ClusterName | None = None) -> Sequence[Snapshot]:
        """List the snapshots of one cluster or of all, by cluster and from old to new.

        :raises StateError: if one is damaged.
        """

    def names(self, cluster: ClusterName) -> Sequence[SnapshotId]:
        """Name the snapshots of a cluster, damaged ones too, in the order of their names."""

    def find(self, snapshot: SnapshotId) -> Snapshot:
        """Return a snapshot.

        :raises NotFoundError: if there is none of that name.
        :raises StateError: if it is damaged.
        """

    def files(self, snapshot: SnapshotId) -> SnapshotFiles:
        """Return the places of its files."""

    def keys(self, snapshot: SnapshotId) -> Mapping[str, str]:
        """Return the secrets of the saved cluster by the names of their files.

        :raises StateError: if they are damaged.
        """

    def check(self, snapshot: Snapshot) -> None:
        """Read and hash every file of it.

        :raises StateError: if one is not what was saved.
        """

    def export(self, snapshot: Snapshot, images: Sequence[NodeImage], target: Path) -> None:
        """Write a snapshot and its node images into one new file.

        :raises UsageError: if there is such a file.
        """

    def exported(self, source: Path) -> Snapshot:
        """Return what a file of ``export`` has.

        :raises StateError: if it is none.
        """

    def importing(self, source: Path) -> AbstractContextManager[Sequence[Path]]:
        """Take a snapshot out of a file, which becomes one of ours at the end of the block.

        Yield the directories of the images below it, each named as its image's key. The caller
        may empty them.
        The caller holds the lock of the snapshot's cluster.

        :raises UsageError: on entry, if there is a snapshot of that name.
        :raises StateError: on entry, if the file is damaged.
        :raises HostError: on entry, if there is too little room.
        """

    def delete(self, snapshot: SnapshotId) -> bool:
        """Remove a snapshot, damaged or not.

        :raises NotOursError: if the cluster's directory does not carry our marker.
        """

    def sweep(self, cluster: ClusterName) -> bool:
        """Remove what killed runs left half done; the caller holds the cluster's lock."""

    def delete_all(self, cluster: ClusterName) -> bool:
        """Remove the snapshots of a cluster with their directory.

        :raises NotOursError: as ``delete`` does.
        """
