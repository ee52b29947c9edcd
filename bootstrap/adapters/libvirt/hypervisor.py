"""Domains on the libvirt of one URI."""

import uuid
from collections.abc import Sequence

import libvirt

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.errors import not_ours, translated
from bootstrap.adapters.libvirt.links import plug_link
from bootstrap.adapters.libvirt.marks import MARK_URI, read_mark
from bootstrap.adapters.libvirt.removal import remove_log, undefine
from bootstrap.adapters.libvirt.states import domain_state
from bootstrap.adapters.libvirt.xml import domain_digest, domain_xml
from bootstrap.model.cluster import Domain, DomainState, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan


class LibvirtHypervisor:
    """Implements :class:`bootstrap.ports.Hypervisor`; see there for the promises."""

    def __init__(self, connection: Connection, install_id: uuid.UUID | None) -> None:
        self._connection = connection
        self._install_id = install_id

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """See the port."""
        with translated("list the domains"):
            found = [self._listed(domain) for domain in self._connection.get().listAllDomains()]
        ours = (domain for domain, _ in filter(None, found))
        return sorted(
            (domain for domain in ours if cluster in (None, domain.mark.cluster)),
            key=lambda domain: domain.name,
        )

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        """See the port."""
        known = self._find(node.uuid)
        if known is not None:
            if known[1] == domain_digest(node, image=image, emulated=emulated):
                return False
        else:
            self._refuse_foreign(node.name)
        text = domain_xml(node, mark=mark, image=image, emulated=emulated)
        with translated(f"define domain '{node.name}'"):
            self._connection.get().defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        return True

    def start_domain(self, name: str) -> bool:
        """See the port."""
        domain = self._lookup(name)
        with translated(f"start domain '{name}'", hint="bootstrap doctor"):
            state = domain_state(domain)[0]
            if state is DomainState.RUNNING:
                return False
            if state is DomainState.PAUSED:
                domain.resume()
            else:
                domain.create()
        return True

    def power_off_domain(self, name: str) -> bool:
        """See the port."""
        domain = self._lookup(name)
        with translated(f"power off domain '{name}'"):
            if not domain.isActive():
                return False
            domain.destroy()
        return True

    def ensure_link(self, node: NodePlan, worker: str) -> bool:
        """See the port."""
        link = next(link for link in node.links if link.node == worker)
        with translated(f"connect domain '{node.name}' with '{worker}'"):
            return plug_link(self._lookup(node.name), node, link)

    def remove_domain(self, unique: uuid.UUID) -> bool:
        """See the port."""
        with translated(f"look up domain {unique}"):
            found = self._raw(unique)
            if found is None:
                return False
            if self._ours(found) is None:
                raise not_ours(found.name(), "It does not carry our mark.")
            name = found.name()
        with translated(f"remove domain '{name}'"):
            undefine(found)
        remove_log(self._connection.uri, name)
        return True

    def _raw(self, unique: uuid.UUID) -> libvirt.virDomain | None:
        try:
            return self._connection.get().lookupByUUIDString(str(unique))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise

    def _find(self, unique: uuid.UUID) -> tuple[Domain, str] | None:
        with translated(f"look up domain {unique}"):
            found = self._raw(unique)
            ours = None if found is None else self._ours(found)
        if found is None:
            return None
        if ours is None:
            raise not_ours(found.name(), "It has our UUID but not our mark.")
        return ours

    def _lookup(self, name: str) -> libvirt.virDomain:
        with translated(f"find domain '{name}'"):
            domain = self._connection.get().lookupByName(name)
            if self._ours(domain) is None:
                raise not_ours(name, "It does not carry our mark.")
        return domain

    def _refuse_foreign(self, name: str) -> None:
        try:
            domain = self._connection.get().lookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return
            with translated(f"look up domain '{name}'"):
                raise
        mark = _read(domain)
        owner = (
            f"uid {mark[0].owner_uid}, install {mark[0].install_id}" if mark else "no mark of ours"
        )
        raise not_ours(name, f"Its owner: {owner}.")

    def _listed(self, domain: libvirt.virDomain) -> tuple[Domain, str] | None:
        try:
            return self._ours(domain)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None  # another cluster's, that was removed while the list was read
            raise

    def _ours(self, domain: libvirt.virDomain) -> tuple[Domain, str] | None:
        known = _read(domain)
        if known is None or known[0].install_id != self._install_id:
            return None
        mark, digest = known
        state, reason = domain_state(domain)
        ours = Domain(
            name=domain.name(),
            uuid=uuid.UUID(domain.UUIDString()),
            state=state,
            reason=reason,
            is_emulated=mark.facts.get("acceleration") == "emulated",
            mark=mark,
        )
        return ours, digest


def _read(domain: libvirt.virDomain) -> tuple[Mark, str] | None:
    try:
        # A running domain that was defined anew still shows its old mark as the current one.
        persistent = libvirt.VIR_DOMAIN_AFFECT_CONFIG if domain.isPersistent() else 0
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, MARK_URI, persistent)
        return read_mark(text)
    except libvirt.libvirtError as error:
        # Somebody else's domain, or one that went away while the list was read.
        if error.get_error_code() in {
            libvirt.VIR_ERR_NO_DOMAIN_METADATA,
            libvirt.VIR_ERR_NO_DOMAIN,
        }:
            return None
        raise
    except ValueError:
        return None
