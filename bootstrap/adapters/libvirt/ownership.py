"""Tell our domains from others'."""

import uuid

import libvirt

from bootstrap.adapters.libvirt.errors import is_absence, not_ours
from bootstrap.adapters.libvirt.marks import MARK_URI, read_mark
from bootstrap.adapters.libvirt.power import domain_state
from bootstrap.model.cluster import Domain, Mark


def ours(domain: libvirt.virDomain, install_id: uuid.UUID | None) -> tuple[Domain, str] | None:
    """Describe the domain and give the digest in its mark; None if it is not ours."""
    known, unique = _read(domain), uuid.UUID(domain.UUIDString())
    if known is None or install_id is None:
        return None
    mark, digest = known
    if not mark.is_on(unique, install_id=install_id):
        return None
    state, reason = domain_state(domain)
    described = Domain(
        domain_name=domain.name(),
        uuid=unique,
        state=state,
        reason=reason,
        is_emulated=mark.facts.get("acceleration") == "emulated",
        mark=mark,
    )
    return described, digest


def all_ours(connection: libvirt.virConnect, install_id: uuid.UUID | None) -> list[Domain]:
    """Describe our domains; one that goes away while the list is read is not in it."""
    found = []
    for domain in connection.listAllDomains():
        try:
            known = ours(domain, install_id)
        except libvirt.libvirtError as error:
            if not is_absence(error):
                raise
            continue
        if known is not None:
            found.append(known[0])
    return found


def refuse_foreign(connection: libvirt.virConnect, name: str) -> None:
    """Look whether the name is free.

    :raises NotOursError: if it is not, with its owner.
    """
    try:
        domain = connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if is_absence(error):
            return
        raise
    raise not_ours(name, f"Its owner: {owner(domain)}.")


def owner(domain: libvirt.virDomain) -> str:
    """Say who made a domain, as far as its mark tells."""
    known = _read(domain)
    if known is None:
        return "no mark of ours"
    return f"uid {known[0].owner_uid}, install {known[0].install_id}"


def _read(domain: libvirt.virDomain) -> tuple[Mark, str] | None:
    try:
        # A running domain that was defined anew still shows its old mark as the current one.
        persistent = libvirt.VIR_DOMAIN_AFFECT_CONFIG if domain.isPersistent() else 0
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, MARK_URI, persistent)
        return read_mark(text)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            raise
        return None
    except ValueError:
        return None
