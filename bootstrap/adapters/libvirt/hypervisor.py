"""Domains on the libvirt of one URI."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import libvirt

from bootstrap.adapters.libvirt import disks, power, removal, transfer
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.errors import not_ours
from bootstrap.adapters.libvirt.ownership import all_ours, ours, owner, refuse_foreign
from bootstrap.adapters.libvirt.switch import plug_cables, switch_digest, switch_xml
from bootstrap.adapters.libvirt.use import use_of
from bootstrap.adapters.libvirt.xml import domain_digest, domain_xml
from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan, SwitchPlan
from bootstrap.ports import MachineUse
from bootstrap.waiting import NotYet, wait_for

#: What virsh calls an action that has another name there.
_VIRSH = {"shut down": "shutdown", "power off": "destroy"}


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
        return [domain for domain in self._all(cluster) if not domain.is_switch]

    def switches(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        """See the port."""
        return [domain for domain in self._all(cluster) if domain.is_switch]

    def use(self, cluster: ClusterName) -> Mapping[str, MachineUse]:
        """See the port."""
        names = [domain.domain_name for domain in self.domains(cluster) if not domain.is_off]
        found = self._connection.run(
            f"ask what the domains of cluster '{cluster}' use",
            lambda connection: {name: use_of(self._lookup(name, connection)) for name in names},
            virsh=("domstats", "--cpu-total", "--balloon", *names),
        )
        return {name: use for name, use in found.items() if use is not None}

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        """See the port."""
        return self._ensure(
            node.uuid,
            node.domain_name,
            digest=domain_digest(node, image=image, emulated=emulated),
            text=domain_xml(node, mark=mark, image=image, emulated=emulated),
        )

    def version(self) -> str:
        """See the port."""
        number = self._connection.run(
            "look up the version of QEMU",
            lambda connection: int(connection.getVersion()),
            virsh=("version",),
        )
        return ".".join(map(str, (number // 1_000_000, number // 1000 % 1000, number % 1000)))

    def save_memory(self, files: Mapping[str, Path]) -> None:
        """See the port."""
        transfer.save(self._connection, self._lookup, files)

    def restore_memory(self, files: Mapping[str, Path]) -> None:
        """See the port."""
        begun: list[str] = []
        try:
            transfer.restore(self._connection, self._lookup, files, begun.append)
        except BootstrapError:
            # What waits for memory that never comes looks like a suspended guest.
            for name in begun:
                self.power_off_domain(name)
            raise

    def attach_disk(self, domain_name: str, path: Path) -> str:
        """See the port."""
        self._connection.run(
            f"attach '{path}' to domain '{domain_name}'",
            lambda connection: disks.lend(self._lookup(domain_name, connection), path),
            changes=True,
            virsh=("attach-disk", domain_name, str(path), "vdz", "--mode", "readonly"),
        )
        return disks.disk_serial(path)

    def detach_disks(self, domain_name: str) -> bool:
        """See the port."""
        if not self._lent(domain_name):
            return False
        self._connection.run(
            f"detach a disk from domain '{domain_name}'",
            lambda connection: disks.take_back(self._lookup(domain_name, connection)),
            changes=True,
            virsh=("detach-disk", domain_name, "vdz"),
        )
        wait_for(
            f"domain '{domain_name}' to let go of a disk",
            partial(self._refuse_lent, domain_name),
            timeout_s=self._connection.deadlines.letting_go_s,
            interval_s=0.2,
            hint="bootstrap list",
        )
        return True

    def _lent(self, domain_name: str) -> dict[str, str]:
        return self._connection.run(
            f"look up the disks of domain '{domain_name}'",
            lambda connection: disks.lent_disks(self._lookup(domain_name, connection)),
            virsh=("domblklist", domain_name),
        )

    def _refuse_lent(self, domain_name: str) -> None:
        if lent := self._lent(domain_name):
            raise NotYet(f"it still has {', '.join(lent)}")

    def ensure_switch(self, switch: SwitchPlan, *, mark: Mark) -> bool:
        """See the port."""
        name = switch.domain_name
        digest, text = switch_digest(switch), switch_xml(switch, mark=mark)
        is_changed = self._ensure(switch.uuid, name, digest=digest, text=text)

        def plug(connection: libvirt.virConnect) -> bool:
            domain = self._lookup(name, connection)
            return bool(domain.isActive()) and plug_cables(domain, switch)

        is_plugged = self._connection.run(
            f"plug cables into '{name}'",
            plug,
            changes=True,
            virsh=("qemu-monitor-command", name, "--hmp", "info network"),
        )
        return is_changed or is_plugged

    def start_domain(self, domain_name: str) -> bool:
        """See the port."""
        return self._power(domain_name, "start", power.is_running, power.start)

    def shut_down_domain(self, domain_name: str) -> bool:
        """See the port."""
        return self._power(domain_name, "shut down", power.is_off, power.shut_down)

    def suspend_domain(self, domain_name: str) -> bool:
        """See the port."""
        return self._power(domain_name, "suspend", power.is_suspended, power.suspend)

    def power_off_domain(self, domain_name: str) -> bool:
        """See the port."""
        return self._power(domain_name, "power off", power.is_off, power.power_off)

    def remove_domain(self, unique: uuid.UUID) -> bool:
        """See the port."""
        name = self._connection.run(
            f"look up domain {unique}",
            partial(self._name, unique),
            virsh=("dumpxml", str(unique)),
        )
        if name is None:
            return False
        self._connection.run(
            f"remove domain '{name}'",
            lambda connection: removal.remove(connection, unique, self._connection.uri),
            changes=True,
            virsh=("undefine", name),
        )
        return True

    def _power(
        self,
        name: str,
        verb: str,
        is_done: Callable[[libvirt.virDomain], bool],
        act: Callable[[libvirt.virDomain], None],
    ) -> bool:
        """Act on a domain unless it is so already; ``verb`` completes "Could not ..."."""
        is_so = self._connection.run(
            f"find domain '{name}'",
            lambda connection: is_done(self._lookup(name, connection)),
            virsh=("domstate", name),
        )
        if is_so:
            return False
        self._connection.run(
            f"{verb} domain '{name}'",
            lambda connection: act(self._lookup(name, connection)),
            changes=True,
            virsh=(_VIRSH.get(verb, verb), name),
        )
        return True

    def _all(self, cluster: ClusterName | None) -> list[Domain]:
        found = self._connection.run(
            "list the domains",
            partial(all_ours, install_id=self._install_id),
            virsh=("list", "--all"),
        )
        return sorted(
            (domain for domain in found if cluster in (None, domain.mark.cluster)),
            key=lambda domain: domain.domain_name,
        )

    def _ensure(self, unique: uuid.UUID, name: str, *, digest: str, text: str) -> bool:
        known = self._connection.run(
            f"look up domain '{name}'",
            partial(self._digest, unique, name),
            virsh=("dumpxml", str(unique)),
        )
        if known == digest:
            return False
        self._connection.run(
            f"define domain '{name}'",
            partial(_define, text),
            changes=True,
            virsh=("define", f"{name}.xml"),
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
