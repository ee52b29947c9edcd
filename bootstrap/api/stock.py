"""What clusters are made from: artefacts, node images, and this host itself."""

from __future__ import annotations  # the workflow is imported for type checks only

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.runs import Runs
from bootstrap.model.cluster import ImageSource, NodeImage
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.ports import Artifact, BuiltArtifacts, Finding

if TYPE_CHECKING:
    from bootstrap.workflow.versions import Offer


class Stock(Runs):
    """The artefacts and images of this user, and the host."""

    def versions(self) -> Sequence[Offer]:
        """List the versions of Kubernetes that can be had, and from where."""
        with self.run("versions") as ports:
            return workflow.versions.offered_versions(ports)

    def build_image(
        self,
        kubernetes_version: str = DEFAULT_VERSION,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
        refresh: bool = False,
    ) -> NodeImage:
        """Build the node image, and the artefacts in it, unless they exist.

        ``kubelet_version`` is that of workers with an older kubelet. ``refresh`` builds an image
        of today's Debian packages.
        """
        with self.run("image build") as ports:
            return workflow.images.build_image(
                kubernetes_version,
                ports,
                source=source,
                kubelet_version=kubelet_version,
                refresh=refresh,
            )

    def images(self) -> Sequence[NodeImage]:
        """List the node images of this user."""
        with self.run("image list") as ports:
            return ports.images.list()

    def image_source(
        self,
        kubernetes_version: str = DEFAULT_VERSION,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> ImageSource:
        """Return what :meth:`build_image` would make an image from; builds nothing."""
        with self.run("image key") as ports:
            return workflow.images.image_source(
                kubernetes_version, ports, source=source, kubelet_version=kubelet_version
            )

    def prune_images(self) -> Sequence[str]:
        """Remove the images that no disk, running or saved, needs; return what is gone."""
        with self.run("image prune") as ports:
            return workflow.images.prune_images(ports)

    def build_artifacts(
        self,
        kubernetes_version: str = DEFAULT_VERSION,
        source: Source = Source.AUTO,
        *,
        refresh: bool = False,
    ) -> BuiltArtifacts:
        """Build or download the programs of Kubernetes, unless they exist.

        ``refresh`` fetches the Debian packages in them anew.
        """
        with self.run("artifacts build") as ports:
            return workflow.images.build_artifacts(
                kubernetes_version, ports, source=source, refresh=refresh
            )

    def artifacts(self) -> Sequence[Artifact]:
        """List every artefact that is built and whole."""
        with self.run("artifacts list") as ports:
            return ports.artifacts.list()

    def prune_artifacts(self) -> Sequence[str]:
        """Remove the artefacts of earlier sources, and return their names."""
        with self.run("artifacts prune") as ports:
            return ports.artifacts.prune()

    def diagnose(self, source: Source = Source.AUTO) -> Sequence[Finding]:
        """Run real checks of this host, in the order in which a cluster needs what they find."""
        return self.composition.diagnose(self.hypervisor, source)
