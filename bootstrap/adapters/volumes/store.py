"""Disks as files, in a marked directory for each cluster."""

import contextlib
import os
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bootstrap.adapters.copying import copy_file
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, replacing, sync, write_atomically
from bootstrap.adapters.marker import (
    Owner,
    claim,
    ensure_part,
    is_ours,
    remove,
    remove_part,
    restore,
)
from bootstrap.adapters.process import run
from bootstrap.adapters.volumes.inspection import backing_file, check_raw_image
from bootstrap.adapters.volumes.origin import read_origin, write_origin
from bootstrap.adapters.volumes.seed import seed_image
from bootstrap.model.cluster import Domain, NodeImage
from bootstrap.model.keys import check_alias
from bootstrap.model.names import ClusterName, cluster_names
from bootstrap.model.plan import ROOT_VOLUME, NodePlan, SwitchPlan
from bootstrap.model.snapshot import Origin

_CREATE_TIMEOUT_S = 60
#: Disks that are copied from a snapshot; no node can be called so.
_STAGED = "staged disks"
#: The unit in which the kernel counts a file's room on disk.
_BLOCK = 512
#: With both formats: QEMU refuses to guess that of a backing file (M22).
_REBASE = ("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "raw")
_CREATE = ("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw")


class FileVolumes:
    """Implements :class:`bootstrap.ports.Volumes` under one directory of this host.

    ``hypervisor`` is the URI of the libvirt whose machines use the disks. ``mode`` is that of
    every directory: 0711 where the user of the system daemon must pass.
    """

    def __init__(
        self,
        root: Path,
        install_id: uuid.UUID,
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
        self._ensure_directory(node.directory)
        if node.root_volume.exists():
            return False
        # prune does not remove the image of a cluster.
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
        self._ensure_directory(node.directory)
        if node.seed_volume.exists() and _is_emptied_or_holds(node.seed_volume, files):
            return False
        return write_atomically(node.seed_volume, seed_image(files))

    @explained("make the switch's directory")
    def ensure_switch_directory(self, switch: SwitchPlan) -> bool:
        """See the port: no user but the one that QEMU runs as needs to reach a socket."""
        is_new = not switch.directory.is_dir()
        self._ensure_directory(switch.directory, mode=0o700)
        # QEMU leaves its sockets behind.
        wanted = {end for cable in switch.cables for end in (cable.node_end, cable.switch_end)}
        found = [path for path in switch.directory.iterdir() if path.is_socket()]
        others = [path for path in found if path not in wanted]
        for path in others:
            path.unlink(missing_ok=True)
        return is_new or bool(others)

    @explained("empty a seed")
    def remove_seed_volume(self, node: NodePlan) -> bool:
        """See the port. The domain has the file open, so its content is zeroed and it stays."""
        size = node.seed_volume.stat().st_size
        with node.seed_volume.open("r+b") as file:
            if not any(file.read()):
                return False
            file.truncate(0)
            file.truncate(size)
            os.fsync(file.fileno())
        return True

    @explained("measure a root volume")
    def disk_bytes(self, domain: Domain) -> int:
        """See the port."""
        return (domain.directory / ROOT_VOLUME).stat().st_blocks * _BLOCK

    @explained("save a root volume")
    def save_disk(self, domain: Domain, target: Path) -> None:
        """See the port."""
        copy_file(domain.directory / ROOT_VOLUME, target)
        target.chmod(0o600)

    @explained("copy a saved root volume")
    def stage_disk(self, cluster: ClusterName, node: str, source: Path) -> None:
        """See the port."""
        check_alias(node)
        directory = self._root / str(cluster) / _STAGED
        self._ensure_directory(directory)
        with replacing(directory / f"{node}.qcow2") as temporary:
            copy_file(source, temporary)

    @explained("restore a root volume")
    def use_staged_disk(self, node: NodePlan, *, image: NodeImage) -> None:
        """See the port. An image may lie elsewhere than on the host that saved the disk."""
        self._ensure_directory(node.directory)
        staged = node.directory.parent / _STAGED / f"{node.name}.qcow2"
        if backing_file(staged) != image.disk:
            run(
                [*_REBASE, "-b", image.disk, staged],
                action=f"lay '{staged}' over its image",
                timeout_s=_CREATE_TIMEOUT_S,
                hint="bootstrap doctor",
            )
        staged.replace(node.root_volume)
        with contextlib.suppress(OSError):  # others are in it
            staged.parent.rmdir()

    @explained("look up where a cluster came from")
    def origin(self, cluster: ClusterName) -> Origin | None:
        """See the port."""
        return read_origin(self._root / str(cluster))

    @explained("remember where a cluster came from")
    def write_origin(self, cluster: ClusterName, origin: Origin) -> None:
        """See the port."""
        directory = private_directory(self._root, mode=self._mode) / str(cluster)
        claim(directory, self._owner, mode=self._mode)
        write_origin(directory, origin)

    @explained("write the volumes to storage")
    def sync(self, cluster: ClusterName) -> None:
        """See the port."""
        for volume in self._root.glob(f"{cluster}/*/{ROOT_VOLUME}"):
            sync(volume)

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
        return is_proved and restore(directory, self._owner)

    @explained("list the volumes")
    def clusters(self) -> Sequence[ClusterName]:
        """See the port."""
        found = sorted(self._root.glob("*"))
        return cluster_names(path.name for path in found if is_ours(path, self._owner))

    @explained("look at the volumes")
    def images(self) -> Collection[str]:
        """See the port."""
        found = (backing_file(volume) for volume in self._root.glob(f"*/*/{ROOT_VOLUME}"))
        return {path.parent.name for path in found if path}

    @explained("remove the volumes of a node")
    def remove_node(self, cluster: ClusterName, node: str) -> bool:
        """See the port."""
        check_alias(node)
        return remove_part(self._root / str(cluster), node, self._owner)

    @explained("remove the volumes")
    def remove_cluster(self, cluster: ClusterName) -> bool:
        """See the port."""
        return remove(self._root / str(cluster), self._owner)

    def _ensure_directory(self, directory: Path, mode: int | None = None) -> None:
        own = self._mode if mode is None else mode
        ensure_part(directory, self._owner, mode=own, parents=self._mode)


def _is_emptied_or_holds(seed: Path, files: Mapping[str, str]) -> bool:
    """Compare the files in an image: its other bytes contain the time."""
    data = seed.read_bytes()
    return not any(data) or all(text.encode() in data for text in files.values())
