"""Load the user's container images into the nodes of a cluster, list and unload them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.errors import UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.events import Step
from bootstrap.model.loading import LoadableImage
from bootstrap.model.names import ClusterName
from bootstrap.model.references import full_if_reference
from bootstrap.planning.containerd import is_loaded
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.nodes import existing_domains, refuse_still
from bootstrap.workflow.steps.images import Loading, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An image that was loaded, and the running nodes that have it."""

    image: LoadableImage
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """The images of a run of `image load`, and what it changed."""

    images: tuple[LoadableImage, ...]
    nodes: tuple[str, ...]
    #: How many archives were read by nodes that lacked an image, over all nodes.
    changed: int


def load_images(cluster: ClusterName, sources: Sequence[str], ports: Ports) -> LoadResult:
    """Load every image of the archives into every node, and keep them for nodes to come.

    :raises UsageError: if a source is no archive for our nodes; nothing is changed then.
    :raises BootstrapError: if a node does not run, or has not every image afterwards.
    """
    _running_nodes(cluster, ports)
    with ports.archives.found(sources) as found, ports.lock():
        nodes = _running_nodes(cluster, ports)
        images = tuple(image for archive in found for image in archive.images)
        title = f"Loading {', '.join(image.name for image in images)}"
        changed = 0
        with ports.events.step(Step.LOAD, title):
            loading = Loading(cluster, nodes, ports, nodes[0].patience)
            loading.clean()
            for one in found:
                with ports.archives.adding(cluster, one) as archive:
                    changed += loading.ensure(archive)
    names = tuple(node.name for node in nodes)
    return LoadResult(images=images, nodes=names, changed=changed)


def load_kept_images(
    cluster: ClusterName, nodes: Sequence[Node], ports: Ports, *, patience: int
) -> int:
    """Give nodes the images that the cluster's others have; return how many archives were read.

    Also takes back what a load that was killed has lent them.
    """
    loading = Loading(cluster, nodes, ports, patience)
    loading.clean()
    kept = ports.archives.kept(cluster)
    if not kept:
        return 0
    with ports.events.step(Step.LOAD, "Loading the images that were loaded before"):
        return sum(map(loading.ensure, kept))


def loaded_images(cluster: ClusterName, ports: Ports) -> Sequence[Loaded]:
    """List the images that are loaded into every node, with the nodes that have them now.

    A node that does not answer is not among them.
    """
    nodes = existing_domains(cluster, ports)
    kept = ports.archives.kept(cluster)
    loading = Loading(cluster, nodes, ports, nodes[0].patience)
    listed = loading.each(nodes, loading.listed_or_nothing) if kept else []
    return [
        Loaded(
            image=image,
            nodes=tuple(
                node.name
                for node, found in zip(nodes, listed, strict=True)
                if is_loaded(image, found)
            ),
        )
        for image in sorted(image for archive in kept for image in archive.images)
    ]


def unload_images(cluster: ClusterName, names: Sequence[str], ports: Ports) -> Sequence[str]:
    """Remove images from every node and from what new nodes get; return those that were there.

    :raises UsageError: if a name is none, or was not loaded; nothing is changed then.
    :raises BootstrapError: if a node does not run.
    """
    with ports.lock():
        nodes = _running_nodes(cluster, ports)
        wanted = [_loaded_name(cluster, name, ports) for name in names]
        with ports.events.step(Step.LOAD, f"Removing {', '.join(wanted)}"):
            loading = Loading(cluster, nodes, ports, nodes[0].patience)
            loading.clean()
            for name in wanted:
                ports.archives.forget(cluster, name)
            loading.each(nodes, lambda node: loading.remove(node, wanted))
    return wanted


def _running_nodes(cluster: ClusterName, ports: Ports) -> Sequence[Domain]:
    domains = existing_domains(cluster, ports)
    for domain in domains:
        refuse_still(domain)
    return domains


def _loaded_name(cluster: ClusterName, name: str, ports: Ports) -> str:
    kept = {image.name for archive in ports.archives.kept(cluster) for image in archive.images}
    name = full_if_reference(name)
    if name not in kept:
        raise UsageError(
            f"Image '{name}' was not loaded into cluster '{cluster}'.",
            details=f"Loaded: {', '.join(sorted(kept)) or 'none'}.",
            hint=f"bootstrap image loaded {cluster}",
        )
    return name
