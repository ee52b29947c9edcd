"""Load the user's container images into the nodes of a cluster, list and unload them."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from bootstrap.errors import BootstrapError, UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.events import Step
from bootstrap.model.loading import KeptArchive, LoadableImage
from bootstrap.model.names import ClusterName
from bootstrap.model.references import full_if_reference
from bootstrap.planning.containerd import (
    LIST,
    NO_DISK,
    import_command,
    is_loaded,
    read_list,
    references_to,
    remove_command,
)
from bootstrap.ports import Reachable, ShellResult
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet, wait_for
from bootstrap.workflow.down import Failures
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.nodes import existing_domains, refuse_still

T = TypeVar("T")

_QUESTION_TIMEOUT_S = 30
_MIB = 1 << 20
#: Without KVM 64 MiB take a third of a minute.
_IMPORT_TIMEOUT_S, _IMPORT_S_PER_MIB = 120, 1
_NOTICE_TIMEOUT_S = 30


class Node(Reachable, Protocol):
    """A node, planned or existing, whose machine can be given a disk."""

    @property
    def domain_name(self) -> str:
        """What libvirt calls its domain."""


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
            loading = _Loading(cluster, nodes, ports, nodes[0].patience)
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
    loading = _Loading(cluster, nodes, ports, patience)
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
    loading = _Loading(cluster, nodes, ports, nodes[0].patience)
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
            loading = _Loading(cluster, nodes, ports, nodes[0].patience)
            loading.clean()
            for name in wanted:
                ports.archives.forget(cluster, name)
            loading.each(nodes, lambda node: loading.remove(node, wanted))
    return wanted


@dataclass(frozen=True, slots=True)
class _Loading:
    """One command's work on the nodes of a cluster."""

    cluster: ClusterName
    nodes: Sequence[Node]
    ports: Ports
    patience: int

    def each(self, nodes: Sequence[Node], work: Callable[[Node], T]) -> list[T]:
        """Do the work for all nodes at once, and return what it gave, or raise what failed."""
        failures = Failures()
        done = at_once(lambda node: failures.collect(partial(work, node)), nodes)
        failures.raise_together(
            f"Not every node of cluster '{self.cluster}' has its images.",
            hint=f"bootstrap image loaded {self.cluster}",
        )
        return [one for one in done if one is not None]

    def clean(self) -> None:
        """Take back the disks that a run which was killed has lent."""
        for node in self.nodes:
            self.ports.hypervisor.detach_disks(node.domain_name)

    def ensure(self, archive: KeptArchive) -> int:
        """Make every node have the archive's images; return how many had to read it."""
        found = self.each(self.nodes, self.listed)
        missing = [
            node
            for node, listed in zip(self.nodes, found, strict=True)
            if not all(is_loaded(image, listed) for image in archive.images)
        ]
        if missing:
            with self._lent(archive, missing) as serial:
                for node in missing:
                    self.ports.events.node(node.name, "loading images")
                self.each(missing, lambda node: self._import(node, serial, archive))
            self.each(missing, lambda node: self._check(node, archive))
            for node in missing:
                self.ports.events.node(node.name, "has the images", is_done=True)
        return len(missing)

    def listed(self, node: Node) -> Mapping[str, str]:
        """Ask a node which images it has."""
        return read_list(self._run(node, LIST, _QUESTION_TIMEOUT_S).stdout)

    def listed_or_nothing(self, node: Node) -> Mapping[str, str]:
        """Ask a node that may not answer."""
        try:
            return self.listed(node)
        except BootstrapError:
            return {}

    def remove(self, node: Node, names: Sequence[str]) -> None:
        """Remove images from a node, which need not be there."""
        references = references_to(names, self.listed(node))
        if references:
            self._run(node, remove_command(references), _IMPORT_TIMEOUT_S)

    @contextlib.contextmanager
    def _lent(self, archive: KeptArchive, nodes: Sequence[Node]) -> Iterator[str]:
        """Lend the archive to nodes as a disk. A signal leaves it to the next run."""
        hypervisor = self.ports.hypervisor
        try:
            serials = {hypervisor.attach_disk(node.domain_name, archive.path) for node in nodes}
            yield serials.pop()
        except Exception:
            with contextlib.suppress(BootstrapError):
                self.clean()
            raise
        self.clean()

    def _import(self, node: Node, serial: str, archive: KeptArchive) -> None:
        timeout_s = _IMPORT_TIMEOUT_S + archive.size_bytes // _MIB * _IMPORT_S_PER_MIB
        command = import_command(serial)

        def attempt() -> None:
            self._run(node, command, timeout_s, not_yet=NO_DISK)

        wait_for(
            f"node '{node.name}' to notice a disk",
            attempt,
            timeout_s=_NOTICE_TIMEOUT_S * self.patience,
            interval_s=0.5,
            hint=f"bootstrap logs {self.cluster} {node.name} --console",
        )

    def _check(self, node: Node, archive: KeptArchive) -> None:
        """Wait for containerd's part for the kubelet, which takes note a little later."""

        def check() -> None:
            listed = self.listed(node)
            lacking = [one.name for one in archive.images if not is_loaded(one, listed)]
            if lacking:
                raise NotYet(f"it lacks {', '.join(lacking)}")

        wait_for(
            f"the images on node '{node.name}'",
            check,
            timeout_s=_NOTICE_TIMEOUT_S * self.patience,
            hint=f"bootstrap logs {self.cluster} {node.name}",
        )

    def _run(
        self, node: Node, command: str, timeout_s: float, *, not_yet: int | None = None
    ) -> ShellResult:
        hint = f"bootstrap logs {self.cluster} {node.name}"
        try:
            result = self.ports.shell.run(node, command, timeout_s=timeout_s * self.patience)
        except NotYet as error:
            raise BootstrapError(
                f"Node '{node.name}' does not answer.", details=str(error), hint=hint
            ) from error
        if not_yet is not None and result.exit_status == not_yet:
            raise NotYet("it has none with our serial")
        if result.exit_status != 0:
            details = result.stderr.strip() or f"exit status {result.exit_status}"
            raise BootstrapError(
                f"containerd on node '{node.name}' refused.", details=details, hint=hint
            )
        return result


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
