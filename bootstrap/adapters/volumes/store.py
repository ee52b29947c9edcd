"""Disks as files: a directory for each cluster, with a marker that makes it ours."""

import os
import shlex
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, remove_tree, replacing, write_atomically
from bootstrap.adapters.process import run
from bootstrap.adapters.volumes.inspection import backing_file, check_raw_image
from bootstrap.adapters.volumes.marker import (
    MARKER,
    Owner,
    fault_of,
    is_unclaimed,
    mark_new,
    restore_marker,
)
from bootstrap.adapters.volumes.seed import seed_image
from bootstrap.errors import NotOursError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.names import ClusterName, cluster_names
from bootstrap.model.plan import ROOT_VOLUME, NodePlan

_CREATE_TIMEOUT_S = 60
#: Both formats are told: QEMU refuses to guess that of a backing file (M22).
_CREATE = ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw")


class FileVolumes:
    """Implements :class:`bootstrap.ports.Volumes` under one directory of this host.

    ``hypervisor`` is the URI of the libvirt whose machines use them, and ``mode`` that of
    every directory: 0711 where the system daemon's user must pass.
    """

    def __init__(
        self,
        root: Path,
        install_id: uuid.UUID | None,
        *,
        hypervisor: str = "",
        mode: int = 0o700,
    ) -> None:
        self._root = root
        self._owner = Owner(install_id=install_id, hypervisor=hypervisor)
        self._mode = mode

    @explained("make a root volume")
    def ensure_root_volume(self, node: NodePlan, *, image: NodeImage) -> bool:
        """See the port."""
        self._ensure_directory(node)
        if node.root_volume.exists():
            return False
        # A cluster that lies over the image keeps prune from removing it.
        cluster = node.directory.parent.name
        hint = f"bootstrap down {cluster} && bootstrap image prune"
        check_raw_image(image.disk, hint=hint)
        with replacing(node.root_volume) as temporary:
            run(
                [*_CREATE, "-b", image.disk, temporary, f"{node.disk_gib}G"],
                action=f"create volume '{node.root_volume}'",
                timeout_s=_CREATE_TIMEOUT_S,
                hint="bootstrap doctor",
            )
        return True

    @explained("make a seed")
    def ensure_seed_volume(self, node: NodePlan, files: Mapping[str, str]) -> bool:
        """See the port."""
        self._ensure_directory(node)
        if node.seed_volume.exists() and _is_emptied_or_holds(node.seed_volume, files):
            return False
        return write_atomically(node.seed_volume, seed_image(files))

    @explained("empty a seed")
    def remove_seed_volume(self, node: NodePlan) -> bool:
        """See the port: the domain holds the file open, so its bytes go, not its name."""
        size = node.seed_volume.stat().st_size
        with node.seed_volume.open("r+b") as file:
            if not any(file.read()):
                return False
            file.truncate(0)
            file.truncate(size)
            os.fsync(file.fileno())
        return True

    @explained("read a console")
    def console(self, node: NodePlan) -> str:
        """See the port."""
        try:
            return node.console_log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    @explained("mark the volumes")
    def restore_marker(self, cluster: ClusterName, nodes: Collection[Path]) -> bool:
        """See the port."""
        directory = self._root / str(cluster)
        is_proved = any(node.parent == directory and node.is_dir() for node in nodes)
        return is_proved and restore_marker(directory, self._owner)

    @explained("list the volumes")
    def clusters(self) -> Sequence[ClusterName]:
        """See the port."""
        found = [path for path in sorted(self._root.glob("*")) if path.is_dir()]
        return cluster_names(path.name for path in found if not self._fault(path))

    @explained("look at the volumes")
    def images(self) -> Collection[str]:
        """See the port."""
        found = (backing_file(volume) for volume in self._root.glob(f"*/*/{ROOT_VOLUME}"))
        return {path.parent.name for path in found if path}

    @explained("remove the volumes")
    def remove_cluster(self, cluster: ClusterName) -> bool:
        """See the port."""
        directory = self._root / str(cluster)
        if not directory.is_dir():
            return False
        if fault := self._fault(directory):
            raise NotOursError(
                f"Directory '{directory}' is not ours, so it was left alone.",
                details=fault,
                hint=f"ls -la {shlex.quote(str(directory))}",
            )
        # The marker goes last: a kill in between leaves a directory that is still ours.
        remove_tree(directory, last=MARKER)
        return True

    def _fault(self, directory: Path) -> str:
        # A kill leaves nothing in it before the marker comes, or after it went.
        return "" if is_unclaimed(directory) else fault_of(directory, self._owner)

    def _ensure_directory(self, node: NodePlan) -> None:
        cluster = node.directory.parent
        private_directory(self._root, mode=self._mode)
        private_directory(cluster, mode=self._mode)
        mark_new(cluster, self._owner)
        if fault := fault_of(cluster, self._owner):
            raise NotOursError(
                f"Directory '{cluster}' is not ours, so no disk was put there.",
                details=fault,
                hint="Choose another cluster name: bootstrap up another-name",
            )
        private_directory(node.directory, mode=self._mode)


def _is_emptied_or_holds(seed: Path, files: Mapping[str, str]) -> bool:
    """Compare what an image holds: the image itself has the time in it."""
    data = seed.read_bytes()
    return not any(data) or all(text.encode() in data for text in files.values())
