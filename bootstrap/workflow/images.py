"""What `image` and `artifacts` do."""

from collections.abc import Sequence

from bootstrap.errors import StateError
from bootstrap.model.cluster import Domain, NodeImage
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.model.sources import Source
from bootstrap.ports import BuiltArtifacts
from bootstrap.workflow.environment import SitePorts


def build_image(
    kubernetes_version: str, ports: SitePorts, *, source: Source, refresh: bool
) -> NodeImage:
    """Build the node image of a version, and the artefacts in it, unless they exist.

    ``refresh`` builds one of today's Debian packages.
    """
    with ports.events.step(Step.PREPARE_IMAGE, "Preparing the node image"):
        return ports.images.ensure(kubernetes_version, source, refresh=refresh)


def build_artifacts(
    kubernetes_version: str, ports: SitePorts, *, source: Source, refresh: bool
) -> BuiltArtifacts:
    """Build the programs and container images of a version, unless they exist.

    ``refresh`` fetches the Debian packages in them anew.
    """
    title = f"Preparing the artefacts of Kubernetes {kubernetes_version}"
    with ports.events.step(Step.BUILD_ARTIFACTS, title):
        return ports.artifacts.ensure(kubernetes_version, source, refresh=refresh)


def existing_image(cluster: ClusterName, domains: Sequence[Domain], ports: SitePorts) -> NodeImage:
    """Return the image that the disks of a cluster's nodes lie over.

    :raises StateError: if it is gone.
    """
    key = domains[0].mark.facts.get("image", "")
    image = ports.images.find(key)
    if image is None:
        raise StateError(
            f"The node image '{key}' of cluster '{cluster}' is gone.",
            details="The disks of its nodes lie over it.",
            hint=f"bootstrap down {cluster}",
        )
    return image


def prune_images(ports: SitePorts) -> Sequence[str]:
    """Remove the images that no disk, running or saved, needs; return the names of what is gone."""
    in_use = {domain.mark.facts.get("image", "") for domain in ports.hypervisor.domains()}
    # The machines of another libvirt are not listed, but their disks are here.
    in_use |= set(ports.volumes.images())
    in_use |= {snapshot.image for snapshot in ports.snapshots.list()}
    return ports.images.prune(in_use)
