"""The files that a cluster's user gets, and the evidence of a failure."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.model.names import ClusterName


class ClusterFiles(Protocol):
    """Holds each cluster's files in a state directory of its own, with a marker."""

    def ensure_files(self, cluster: ClusterName, files: Mapping[str, str]) -> bool:
        """Make ``files``, by their paths in the state directory, hold their text.

        Every file is private and replaced in one step.

        :raises NotOursError: if the directory does not carry our marker.
        """

    def clusters(self) -> Sequence[ClusterName]:
        """List the clusters that have a state directory."""

    def find(self, cluster: ClusterName, name: str) -> Path | None:
        """Return the path of a file in the cluster's state directory; None if it is gone."""

    def names(self, cluster: ClusterName, directory: str) -> Sequence[str]:
        """List the files of a directory in the cluster's state directory; none if it is gone."""

    def read(self, cluster: ClusterName, name: str) -> str:
        """Return the text of such a file.

        :raises StateError: if it cannot be read, or is no text.
        """

    def restore_marker(self, cluster: ClusterName) -> bool:
        """Put back a lost marker of the state directory; a domain of ours is the proof."""

    def remove_file(self, cluster: ClusterName, name: str) -> bool:
        """Remove one file from the cluster's state directory.

        :raises NotOursError: as ``remove_files`` does.
        """

    def remove_files(self, cluster: ClusterName) -> bool:
        """Remove the cluster's state directory.

        :raises NotOursError: if it does not carry our marker.
        """


class UserKubeconfig(Protocol):
    """The kubeconfig that the user's own kubectl reads."""

    def check(self, cluster: ClusterName) -> None:
        """Check that it will take the cluster's entries.

        :raises NotOursError: if an entry of the cluster's name is not ours.
        :raises StateError: if it is not a kubeconfig.
        """

    def ensure_entries(self, own: Path, *, use: bool) -> Path:
        """Merge the cluster's own kubeconfig into it, and return its path.

        The cluster's context becomes the current one if ``use`` asks for it or if there was none.

        :raises NotOursError: if an entry of that name is not ours.
        """

    def remove_entries(self, cluster: ClusterName) -> Sequence[str]:
        """Remove our entries; return the names of those that the user has changed.

        A changed entry stays. A current context that is removed is unset.
        """


class Evidence(Protocol):
    """Saves what explains a failure, before anything is removed."""

    def save(
        self, cluster: ClusterName, files: Mapping[str, str], *, target: Path | None = None
    ) -> Path:
        """Write texts, by their paths, into one private archive without secrets; return its path.

        Without ``target`` it is in the cluster's state directory, which ``down`` removes.

        :raises UsageError: if there is a file ``target`` already.
        :raises BootstrapError: if it cannot be written.
        """
