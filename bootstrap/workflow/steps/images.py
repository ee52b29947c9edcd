"""Give the nodes of a cluster the container images of archives, and take them away."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from bootstrap.errors import BootstrapError
from bootstrap.model.loading import KeptArchive
from bootstrap.model.names import ClusterName
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


@dataclass(frozen=True, slots=True)
class Loading:
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
