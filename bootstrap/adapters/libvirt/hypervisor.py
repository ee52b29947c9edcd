"""Domains on the libvirt of one URI."""

import uuid
from collections.abc import Sequence
from functools import partial

import libvirt

from bootstrap.adapters.libvirt import power, removal
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.errors import not_ours
from bootstrap.adapters.libvirt.links import plug_link
from bootstrap.adapters.libvirt.ownership import all_ours, ours, owner, refuse_foreign
from bootstrap.adapters.libvirt.xml import domain_digest, domain_xml
from bootstrap.model.cluster import Domain, DomainState, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan


class LibvirtHypervisor:
    """Implements :class:`bootstrap.ports.Hypervisor`; see there for the promises.

    What may be repeated is one piece of work for the connection. Looking and doing are two
    pieces, so that what is said to have changed is true after a repetition too.
    """

    def __init__(self, connection: Connection, install_id: uuid.UUID | None) -> None:
        self._connection = connection
        self._install_id = install_id

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """See the port."""
        found = self._connection.run(
            "list the domains", partial(all_ours, install_id=self._install_id)
        )
        return sorted(
            (domain for domain in found if cluster in (None, domain.mark.cluster)),
            key=lambda domain: domain.name,
        )

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        """See the port."""
        known = self._connection.run(
            f"look up domain '{node.name}'", partial(self._digest, node.uuid, node.name)
        )
        if known == domain_digest(node, image=image, emulated=emulated):
            return False
        text = domain_xml(node, mark=mark, image=image, emulated=emulated)
        self._connection.run(f"define domain '{node.name}'", partial(_define, text), changes=True)
        return True

    def start_domain(self, name: str) -> bool:
        """See the port."""
        state = self._connection.run(
            f"find domain '{name}'",
            lambda connection: power.domain_state(self._lookup(name, connection))[0],
        )
        if state is DomainState.RUNNING:
            return False
        self._connection.run(
            f"start domain '{name}'",
            lambda connection: power.start(self._lookup(name, connection)),
            changes=True,
        )
        return True

    def power_off_domain(self, name: str) -> bool:
        """See the port."""
        is_active = self._connection.run(
            f"find domain '{name}'",
            lambda connection: bool(self._lookup(name, connection).isActive()),
        )
        if not is_active:
            return False
        self._connection.run(
            f"power off domain '{name}'",
            lambda connection: power.power_off(self._lookup(name, connection)),
            changes=True,
        )
        return True

    def ensure_link(self, node: NodePlan, worker: str) -> bool:
        """See the port."""
        link = next(link for link in node.links if link.node == worker)
        return self._connection.run(
            f"connect domain '{node.name}' with '{worker}'",
            lambda connection: plug_link(self._lookup(node.name, connection), node, link),
            changes=True,
        )

    def remove_domain(self, unique: uuid.UUID) -> bool:
        """See the port."""
        name = self._connection.run(f"look up domain {unique}", partial(self._name, unique))
        if name is None:
            return False
        self._connection.run(
            f"remove domain '{name}'",
            lambda connection: removal.remove(connection, unique, self._connection.uri),
            changes=True,
        )
        return True

    def _digest(self, unique: uuid.UUID, name: str, connection: libvirt.virConnect) -> str | None:
        domain = removal.find(connection, unique)
        if domain is None:
            refuse_foreign(connection, name)
            return None
        known = ours(domain, self._install_id)
        if known is None:
            details = f"It has our UUID but not our mark. Its owner: {owner(domain)}."
            raise not_ours(domain.name(), details)
        return known[1]

    def _name(self, unique: uuid.UUID, connection: libvirt.virConnect) -> str | None:
        domain = removal.find(connection, unique)
        if domain is None:
            return None
        name: str = domain.name()
        if ours(domain, self._install_id) is None:
            raise not_ours(name, "It does not carry our mark.")
        return name

    def _lookup(self, name: str, connection: libvirt.virConnect) -> libvirt.virDomain:
        domain = connection.lookupByName(name)
        if ours(domain, self._install_id) is None:
            raise not_ours(name, "It does not carry our mark.")
        return domain


def _define(text: str, connection: libvirt.virConnect) -> None:
    connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
