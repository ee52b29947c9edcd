"""Identities that are computed before anything is created.

Everything follows from the install id (random, once per user), the cluster and the name
of the thing. So making it again makes the same thing, and libvirt itself refuses a
second owner of the same name.
"""

import hashlib
import uuid
from dataclasses import dataclass

from bootstrap.model.names import ClusterName

#: Locally administered, unicast; the start of what QEMU and KVM users know. The other 32 bits
#: are ours, since with 24 a few thousand nodes have two that are the same.
_MAC_PREFIX = "52:54"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who owns a cluster: one install of this tool, and the cluster's name."""

    install_id: uuid.UUID
    cluster: ClusterName

    def uuid_of(self, kind: str, name: str) -> uuid.UUID:
        """Give the UUID of a thing, the same on every run."""
        return uuid.uuid5(self.install_id, f"{self.cluster}/{kind}/{name}")

    def mac_of(self, kind: str, name: str) -> str:
        """Give the MAC address of a thing, the same on every run; 32 bits tell things apart."""
        digest = hashlib.sha256(self.uuid_of(f"mac/{kind}", name).bytes).hexdigest()
        return ":".join([_MAC_PREFIX, *(digest[place : place + 2] for place in range(0, 8, 2))])
