"""What `image` and `artifacts` do."""

from collections.abc import Sequence

from bootstrap.errors import StateError, UsageError
from bootstrap.model.cluster import Domain, ImageSource, NodeImage, NodeImages
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.model.sources import Source
from bootstrap.model.spec import ClusterSpec
from bootstrap.model.versions import SUPPORTED_VERSIONS, refusal_of_kubelet
from bootstrap.ports import BuiltArtifacts
from bootstrap.workflow.environment import SitePorts


def build_image(
    kubernetes_version: str,
    ports: SitePorts,
    *,
    source: Source,
    refresh: bool,
    kubelet_version: str | None = None,
) -> NodeImage:
    """Build the node image of a version, and the artefacts in it, unless they exist.

    ``kubelet_version`` is that of the kubelet in it, if it is an older one. ``refresh`` builds
    one of today's Debian packages.

    :raises UsageError: if a control plane of the version does not take such a kubelet.
    """
    _refuse_kubelet(kubelet_version, kubernetes_version)
    with ports.events.step(Step.PREPARE_IMAGE, "Preparing the node image"):
        return ports.images.ensure(
            kubernetes_version, source, kubelet_version=kubelet_version, refresh=refresh
        )


def image_source(
    kubernetes_version: str,
    ports: SitePorts,
    *,
    source: Source,
    kubelet_version: str | None = None,
) -> ImageSource:
    """Return what :func:`build_image` would make an image from; raises as it does."""
    _refuse_kubelet(kubelet_version, kubernetes_version)
    return ports.images.source(kubernetes_version, source, kubelet_version=kubelet_version)


def _refuse_kubelet(kubelet_version: str | None, kubernetes_version: str) -> None:
    for version in filter(None, (kubernetes_version, kubelet_version)):
        if version not in SUPPORTED_VERSIONS:
            raise UsageError(
                f"'{version}' is not a supported version of Kubernetes.",
                details=f"supported: {', '.join(SUPPORTED_VERSIONS)}",
                hint="bootstrap versions",
            )
    refusal = refusal_of_kubelet(kubelet_version or kubernetes_version, kubernetes_version)
    if refusal:
        raise UsageError(f"There is no such node image: {refusal}.", hint="bootstrap versions")


def build_artifacts(
    kubernetes_version: str, ports: SitePorts, *, source: Source, refresh: bool
) -> BuiltArtifacts:
    """Build the programs and container images of a version, unless they exist.

    ``refresh`` fetches the Debian packages in them anew.
    """
    title = f"Preparing the artefacts of Kubernetes {kubernetes_version}"
    with ports.events.step(Step.BUILD_ARTIFACTS, title):
        return ports.artifacts.ensure(kubernetes_version, source, refresh=refresh)


def existing_images(
    cluster: ClusterName, domains: Sequence[Domain], ports: SitePorts
) -> NodeImages:
    """Return the images that the disks of a cluster's nodes lie over.

    :raises StateError: if one is gone.
    """
    return {
        domain.kubelet_version: _existing_image(cluster, domain, ports)
        for domain in reversed(domains)
    }


def _existing_image(cluster: ClusterName, domain: Domain, ports: SitePorts) -> NodeImage:
    key = domain.mark.facts.get("image", "")
    image = ports.images.find(key)
    if image is None:
        raise StateError(
            f"The node image '{key}' of cluster '{cluster}' is gone.",
            details="The disks of its nodes lie over it.",
            hint=f"bootstrap down {cluster}",
        )
    return image


def wanted_images(spec: ClusterSpec, known: NodeImages, ports: SitePorts) -> NodeImages:
    """Return an image for each kubelet of the cluster: the known one, or the newest.

    :raises BootstrapError: as ``Images.ensure`` does.
    """
    missing = [version for version in spec.kubelet_versions if version not in known]
    return {**known, **{version: _newest_image(spec, version, ports) for version in missing}}


def _newest_image(spec: ClusterSpec, kubelet_version: str, ports: SitePorts) -> NodeImage:
    version, source = spec.kubernetes_version, spec.source
    image = ports.images.expected(version, source, kubelet_version=kubelet_version)
    return image or ports.images.ensure(version, source, kubelet_version=kubelet_version)


def prune_images(ports: SitePorts) -> Sequence[str]:
    """Remove the images that no disk, running or saved, needs; return the names of what is gone."""
    in_use = {domain.mark.facts.get("image", "") for domain in ports.hypervisor.domains()}
    # The machines of another libvirt are not listed, but their disks are here.
    in_use |= set(ports.volumes.images())
    in_use |= {key for snapshot in ports.snapshots.list() for key in snapshot.images}
    ports.bundles.sweep()
    return ports.images.prune(in_use)
