"""What holds the machines: domains, volumes and node images."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.model.cluster import Domain, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan


class Hypervisor(Protocol):
    """Holds domains. Only those that carry our mark are ever listed or touched."""

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """List our domains by name, of one cluster or of all."""

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        """Make the node's domain exist as planned; does not start it.

        ``emulated`` asks for emulation instead of KVM. A domain that runs keeps running.

        :raises NotOursError: if the name or UUID is taken by a domain without our mark.
        """

    def start_domain(self, name: str) -> bool:
        """Make the domain run: start, resume or restore it, whatever it needs."""

    def power_off_domain(self, name: str) -> bool:
        """Cut the domain's power, as pulling its plug would."""

    def ensure_link(self, node: NodePlan, worker: str) -> bool:
        """Make the running domain of ``node`` have the cable to ``worker``."""

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

    def remove_seed_volume(self, node: NodePlan) -> bool:
        """Empty the seed once the node has read it."""

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

    def remove_cluster(self, cluster: ClusterName) -> bool:
        """Remove the cluster's directory and all that we put in it.

        :raises NotOursError: if the directory does not carry our marker with its name.
        """


class Images(Protocol):
    """Holds node images, each built once for its content."""

    def find(self, key: str) -> NodeImage | None:
        """Give an image that exists whole, whatever a new one would be built from."""

    def ensure(self, kubernetes_version: str) -> NodeImage:
        """Give the image, building whatever is missing; reports progress.

        An image that is there is given without any tool. It is read and hashed first; one
        that is not what was built is built again.

        :raises HostError: if the host lacks a tool that building needs.
        :raises UsageError: if the version is not one that can be built.
        """

    def sweep(self) -> None:
        """Remove what killed builds left half done; what is built at this moment stays."""
