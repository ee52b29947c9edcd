"""Identities that are computed before anything is created.

What libvirt knows follows from the install id (random, once per user), the cluster and the name
of the thing. So making it again makes the same thing, and libvirt itself refuses a second owner
of the same name. What only the nodes of one cluster know follows from the node alone, so that
a clone can keep it.
"""

import hashlib
import uuid
from dataclasses import dataclass

from bootstrap.model.names import ClusterName

#: Locally administered, unicast; the start of what QEMU and KVM users know.
_MAC_PREFIX = "52:54"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who owns a cluster: one install of this tool, and the cluster's name."""

    install_id: uuid.UUID
    cluster: ClusterName

    def uuid_of(self, kind: str, name: str) -> uuid.UUID:
        """Give the UUID of a thing, the same on every run."""
        return uuid.uuid5(self.install_id, f"{self.cluster}/{kind}/{name}")


def mac_of(kind: str, node: str) -> str:
    """Return the MAC address of a NIC of a node, the same in every cluster.

    Each cluster has networks of its own, which no other cluster's frames reach.
    """
    digest = hashlib.sha256(f"mac/{kind}/{node}".encode()).hexdigest()
    return ":".join([_MAC_PREFIX, *(digest[place : place + 2] for place in range(0, 8, 2))])
