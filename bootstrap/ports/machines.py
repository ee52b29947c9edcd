"""The domains of the machines."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bootstrap.model.cluster import Domain, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan, SwitchPlan


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
