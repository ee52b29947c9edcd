"""The archives of container images that users load into their clusters."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from bootstrap.model.loading import FoundArchive, KeptArchive
from bootstrap.model.names import ClusterName


class ImageArchives(Protocol):
    """Finds archives on this host, and keeps those of each cluster beside its disks."""

    def found(self, sources: Sequence[str]) -> AbstractContextManager[Sequence[FoundArchive]]:
        """Find each source: a file, or the name of an image that an engine of this host has.

        Each is checked completely. What an engine gives is there for the block only.

        :raises UsageError: if one is not found, or is no archive of images for our nodes.
        """

    def adding(
        self, cluster: ClusterName, archive: FoundArchive
    ) -> AbstractContextManager[KeptArchive]:
        """Have the archive where the hypervisor can read it, and keep it if the block succeeds.

        From then on its names belong to no other archive of the cluster. If the block raises,
        all is kept as it was.

        :raises NotOursError: if the cluster's directory does not carry our marker.
        """

    def kept(self, cluster: ClusterName) -> Sequence[KeptArchive]:
        """List what the cluster has, in an order that stays.

        :raises StateError: if a list of names is damaged.
        """

    def save(self, archive: KeptArchive, target: Path) -> None:
        """Copy a kept archive to a new file, which only this user can read."""

    def restore(self, cluster: ClusterName, archives: Sequence[FoundArchive]) -> None:
        """Keep copies of exactly these, which :meth:`save` wrote and nothing has changed.

        Each is kept under the name of its file, which is that of the archive that was saved.

        After a kill, some of them are kept; another call makes it right.

        :raises NotOursError: if the cluster's directory does not carry our marker.
        """

    def forget(self, cluster: ClusterName, name: str) -> bool:
        """Keep an image no longer, nor its archive after the last of its images."""
