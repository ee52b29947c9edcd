"""What holds the machines: domains, volumes and node images."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bootstrap.model.cluster import Domain, ImageSource, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan, SwitchPlan
from bootstrap.model.snapshot import Origin
from bootstrap.model.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineUse:
    """What a domain has used and uses of the host."""

    #: Seconds of processor time since it was started.
    cpu_s: float
    #: Memory of the host that it takes now.
    memory_mib: int


class Hypervisor(Protocol):
    """Holds domains. Only those that carry our mark are ever listed or touched."""

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """List the nodes' domains by name, of one cluster or of all.

        Of a cluster of another layout, whatever it has is listed.
        """

    def switches(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """List the switches' domains by name, of one cluster or of all."""

    def use(self, cluster: ClusterName) -> Mapping[str, MachineUse]:
        """Say what the nodes' domains use that have power, by the domains' names."""

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        """Make the node's domain exist as planned; does not start it.

        ``emulated`` asks for emulation instead of KVM. A domain that runs keeps running.

        :raises NotOursError: if the name or UUID is taken by a domain without our mark.
        """

    def start_domain(self, domain_name: str) -> bool:
        """Make the domain run: start, resume or restore it, whatever it needs."""

    def shut_down_domain(self, domain_name: str) -> bool:
        """Ask the guest to shut down, as pressing its power button would; does not wait.

        A guest that is suspended or hangs does not do it.
        """

    def suspend_domain(self, domain_name: str) -> bool:
        """Freeze a running guest; its memory stays in use. ``start_domain`` resumes it.

        :raises BootstrapError: if it does not run.
        """

    def power_off_domain(self, domain_name: str) -> bool:
        """Cut the domain's power, as pulling its plug would."""

    def attach_disk(self, domain_name: str, path: Path) -> str:
        """Give a running domain a file as a read-only disk, and return the disk's serial.

        The file's name begins with its digest. A disk that is attached already stays; one that
        is left attached goes with the domain's power.

        :raises BootstrapError: if the domain does not run.
        """

    def detach_disks(self, domain_name: str) -> bool:
        """Take every disk of ``attach_disk`` back, and wait until the guest has let go of it.

        :raises TimedOutError: if it does not within two minutes.
        """

    def version(self) -> str:
        """Return the version of QEMU, as ``7.2.22``."""

    def save_memory(self, files: Mapping[str, Path]) -> None:
        """Write the memory and devices of suspended domains to new files, all at once.

        ``files`` are by the domains' names. The domains stay suspended, and their disks are
        whole until they go on.

        :raises BootstrapError: if one does not run, or its memory cannot be written.
        :raises TimedOutError: if it takes more than half an hour.
        """

    def restore_memory(self, files: Mapping[str, Path]) -> None:
        """Start domains that are off with the memory and devices in files, all at once.

        They are suspended then, as they were when they were saved; ``start_domain`` lets them
        go on.

        :raises BootstrapError: if one is on, or cannot be started from its file.
        :raises TimedOutError: as ``save_memory`` does.
        """

    def ensure_switch(self, switch: SwitchPlan, *, mark: Mark) -> bool:
        """Make the switch exist with a port for each cable and no other; does not start it.

        One that runs gets and loses ports, and keeps running.

        :raises NotOursError: as ``ensure_domain`` does.
        """

    def remove_domain(self, unique: uuid.UUID) -> bool:
        """Power off and undefine our domain with everything libvirt keeps about it.

        :raises NotOursError: if the domain does not carry our mark.
        """


class Volumes(Protocol):
    """Holds each cluster's disks in a directory of its own with a marker file."""

    def ensure_root_volume(self, node: NodePlan, *, image: NodeImage) -> bool:
        """Make the node's overlay on the image exist; a volume that exists is kept.

        :raises NotOursError: if the cluster's directory does not carry our marker with the
            cluster's name, as that of a copy does not.
        """

    def ensure_seed_volume(self, node: NodePlan, files: Mapping[str, str]) -> bool:
        """Make the node's seed hold ``files``; a seed that was emptied stays so.

        One that holds other files is of a run that was killed before the node's first boot.

        :raises NotOursError: as ``ensure_root_volume`` does.
        """

    def ensure_switch_directory(self, switch: SwitchPlan) -> bool:
        """Make the private directory exist in which the cables' sockets are, and no others.

        :raises NotOursError: as ``ensure_root_volume`` does.
        """

    def remove_seed_volume(self, node: NodePlan) -> bool:
        """Empty the seed once the node has read it."""

    def disk_bytes(self, domain: Domain) -> int:
        """Return what the node's root volume takes on the host's disk."""

    def save_disk(self, domain: Domain, target: Path) -> None:
        """Copy the root volume of a suspended node to a new file."""

    def stage_disk(self, cluster: ClusterName, node: str, source: Path) -> None:
        """Copy a saved root volume into the cluster's directory; the node keeps its own.

        :raises NotOursError: as ``ensure_root_volume`` does.
        """

    def use_staged_disk(self, node: NodePlan, *, image: NodeImage) -> None:
        """Make the staged copy, which lies over the image, the root volume of a node that is off.

        :raises NotOursError: as ``ensure_root_volume`` does.
        """

    def origin(self, cluster: ClusterName) -> Origin | None:
        """Return the snapshot that the cluster was restored from, last; None if from none."""

    def write_origin(self, cluster: ClusterName, origin: Origin) -> None:
        """Remember the origin of the cluster's machines.

        :raises NotOursError: as ``ensure_root_volume`` does.
        """

    def sync(self, cluster: ClusterName) -> None:
        """Have the host write the cluster's disks to its storage.

        Emulated nodes do not ask for it themselves: their disks ignore a guest's flushes.
        """

    def console(self, node: NodePlan) -> str:
        """Read what the node has written to its serial console since it was last started."""

    def restore_marker(self, cluster: ClusterName, nodes: Collection[Path]) -> bool:
        """Put back a marker that was lost or damaged, if one of ``nodes`` proves it was there.

        ``nodes`` are the directories that our domains' marks name: a domain is defined only
        after the cluster's directory was ours. A marker that names another install or
        another cluster stays.
        """

    def clusters(self) -> Sequence[ClusterName]:
        """Name the clusters whose directory carries our marker with their name."""

    def images(self) -> Collection[str]:
        """Give the keys of the images that root volumes lie over, whosever they are."""

    def remove_node(self, cluster: ClusterName, node: str) -> bool:
        """Remove the directory of one node, whose domain no longer exists.

        :raises NotOursError: as ``remove_cluster`` does.
        :raises ValueError: if ``node`` is not a node's name.
        """

    def remove_cluster(self, cluster: ClusterName) -> bool:
        """Remove the cluster's directory and all that we put in it.

        :raises NotOursError: if the directory does not carry our marker with its name.
        """


class Images(Protocol):
    """Holds node images, each built once for its content."""

    def find(self, key: str) -> NodeImage | None:
        """Give an image that exists whole, whatever a new one would be built from."""

    def expected(self, kubernetes_version: str, source: Source = Source.AUTO) -> NodeImage | None:
        """Give the image that ``ensure`` would give, if it seems to be there whole.

        Its disk is not read: call ``check`` while the first machines boot. None for an image
        that failed that check.
        """

    def source(self, kubernetes_version: str, source: Source = Source.AUTO) -> ImageSource:
        """Return what ``ensure`` would make an image from; builds nothing and runs no program.

        :raises UsageError: if the version is not one that can be built.
        """

    def check(self, image: NodeImage) -> None:
        """Read and hash the image.

        :raises StateError: if it is not what was built; ``ensure`` builds it again then.
        """

    def ensure(
        self, kubernetes_version: str, source: Source = Source.AUTO, *, refresh: bool = False
    ) -> NodeImage:
        """Give the image, building whatever is missing; reports progress.

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

    def list(self) -> Sequence[NodeImage]:
        """List every image that exists whole, by its key."""

    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        """Remove every image whose key is not in use, and what no image is made from any more.

        Return the names of what was removed.
        """

    def sweep(self) -> None:
        """Remove what killed builds left half done; what is built at this moment stays."""
