"""The disks of the machines."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.model.cluster import Domain, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan, SwitchPlan
from bootstrap.model.snapshot import Origin


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
