"""The node images that the machines' disks lie over."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.model.bundle import Materials
from bootstrap.model.cluster import ImageSource, NodeImage
from bootstrap.model.sources import Source


class Images(Protocol):
    """Holds node images, each built once for its content."""

    def find(self, key: str) -> NodeImage | None:
        """Give an image that exists whole, whatever a new one would be built from."""

    def expected(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> NodeImage | None:
        """Give the image that ``ensure`` would give, if it seems to be there whole.

        Its disk is not read: call ``check`` while the first machines boot. None for an image
        that failed that check.
        """

    def source(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> ImageSource:
        """Return what ``ensure`` would make an image from; builds nothing and runs no program.

        :raises UsageError: if the version is not one that can be built.
        """

    def check(self, image: NodeImage) -> None:
        """Read and hash the image.

        :raises StateError: if it is not what was built; ``ensure`` builds it again then.
        """

    def ensure(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
        refresh: bool = False,
    ) -> NodeImage:
        """Give the image, building whatever is missing; reports progress.

        ``kubelet_version`` is that of the kubelet in it, for workers that are older than the
        control plane; everything else in it has the version of Kubernetes.

        ``refresh`` fetches its Debian packages anew, and so makes another image; the ones
        that clusters use stay. If the packages cannot be fetched, the last ones stay too.

        An image that is there is given without any tool. It is read and hashed first; one
        that is not what was built is built again.

        :raises HostError: if the host lacks a tool that building needs, or cannot reach the source.
        :raises UsageError: if the source does not have the version.
        """

    def adopt(self, directory: Path) -> NodeImage:
        """Keep an image that another host has built; its directory is named as its key.

        The directory is empty afterwards. One of that key which is here has to be the same.

        :raises StateError: if it is not what was built, or another one of that key is here.
        """

    def materials(self, kubernetes_version: str, source: Source = Source.AUTO) -> Materials:
        """Return where the parts are that the image which ``ensure`` gave is made from.

        :raises StateError: if one is gone.
        """

    def adopt_base(self, directory: Path) -> None:
        """Keep a base system that another host has made, in place of the one that is here.

        Its directory is named as its key. The caller removes what is left of it.

        :raises StateError: if it is not what was made, or is that of another version of the tool.
        """

    def adopt_artifacts(self, directory: Path) -> None:
        """Keep a set of artefacts that another host has made; all else as in ``adopt_base``."""

    def list(self) -> Sequence[NodeImage]:
        """List every image that exists whole, by its key."""

    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        """Remove every image whose key is not in use, and what no image is made from any more.

        Return the names of what was removed.
        """

    def sweep(self) -> None:
        """Remove what killed builds left half done; what is built at this moment stays."""
