"""One user at one libvirt: whose clusters are meant, and where their files are."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from bootstrap.model.names import ClusterName

SYSTEM, SESSION = "qemu:///system", "qemu:///session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One user at one libvirt, and the directories of that user's clusters."""

    install_id: uuid.UUID
    owner_uid: int
    hypervisor_uri: str
    #: Holds a directory for each cluster: kubeconfig, keys, logs.
    state: Path
    #: Holds a directory for each cluster: the disks of its nodes.
    volumes: Path

    @property
    def is_system(self) -> bool:
        """Whether the system daemon runs the machines, as another user."""
        return self.hypervisor_uri == SYSTEM

    @property
    def is_session(self) -> bool:
        """Whether the user's own session daemon runs the machines."""
        return self.hypervisor_uri == SESSION

    @property
    def has_private_sockets(self) -> bool:
        """Whether cables are sockets in the user's own directory, rather than UDP ports.

        The QEMUs of the system daemon run as another user, which distributions confine so that
        it can make no socket.
        """
        return not self.is_system

    def state_directory(self, cluster: ClusterName) -> Path:
        """Return the directory of a cluster's kubeconfig, keys and logs."""
        return self.state / str(cluster)

    def volume_directory(self, cluster: ClusterName) -> Path:
        """Return the directory of a cluster's disks."""
        return self.volumes / str(cluster)
