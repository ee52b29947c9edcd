"""A hypervisor that holds domains in memory, ours and others'."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bootstrap.errors import BootstrapError, NotFoundError, NotOursError
from bootstrap.model.cluster import Domain, DomainState, Mark, NodeImage
from bootstrap.model.names import SWITCH, ClusterName
from bootstrap.model.plan import NodePlan, SwitchPlan
from bootstrap.ports import MachineUse
from tests.fakes.recording import Fake, Journal


@dataclass
class Defined:
    """One domain; without a mark it is of another owner."""

    name: str
    uuid: uuid.UUID
    mark: Mark | None = None
    definition: object = None
    #: The nodes that a switch is defined to have cables to.
    cables: frozenset[str] = frozenset()
    state: DomainState = DomainState.SHUT_OFF
    #: The nodes to which a running switch has cables.
    plugged: set[str] = field(default_factory=set)
    #: The files that a running domain has as disks for a while, by serial.
    disks: dict[str, Path] = field(default_factory=dict)


class FakeHypervisor(Fake):
    """Implements ``Hypervisor``; several installs may share ``domains_by_uuid``."""

    port = "hypervisor"

    def __init__(
        self,
        install_id: uuid.UUID,
        journal: Journal | None = None,
        *,
        shared: dict[uuid.UUID, Defined] | None = None,
    ) -> None:
        super().__init__(journal)
        self.domains_by_uuid = {} if shared is None else shared
        #: The domains whose guests do not react to their power button.
        self.deaf: set[str] = set()
        self.on_start: Callable[[str], None] = lambda _name: None
        self.qemu = "7.2.22"
        #: What each running domain has used; it grows with each look.
        self.cpu_s = 0.0
        self._install_id = install_id

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        self.called("domains")
        return [domain for domain in self._all(cluster) if not domain.is_switch]

    def switches(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        self.called("switches")
        return [domain for domain in self._all(cluster) if domain.is_switch]

    def use(self, cluster: ClusterName) -> Mapping[str, MachineUse]:
        self.called("use")
        names = [domain.domain_name for domain in self._all(cluster) if not domain.is_off]
        self.cpu_s += 2.5
        return {
            name: MachineUse(cpu_s=self.cpu_s, memory_mib=1500)
            for name in names
            if not name.endswith(SWITCH)
        }

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        self.called("ensure_domain", node.domain_name)
        definition = (replace(node, labels={}), image, emulated)
        if not self._define(node.domain_name, node.uuid, mark, definition):
            return False
        return self.changed("ensure_domain", node.domain_name)

    def ensure_switch(self, switch: SwitchPlan, *, mark: Mark) -> bool:
        self.called("ensure_switch", switch.domain_name)
        is_changed = self._define(switch.domain_name, switch.uuid, mark, switch)
        domain = self._lookup(switch.domain_name)
        domain.cables = frozenset(cable.node for cable in switch.cables)
        if domain.state is DomainState.RUNNING:
            is_changed |= domain.cables != domain.plugged
            domain.plugged = set(domain.cables)
        return is_changed and self.changed("ensure_switch", switch.domain_name)

    def start_domain(self, domain_name: str) -> bool:
        self.called("start_domain", domain_name)
        domain = self._lookup(domain_name)
        if domain.state is DomainState.RUNNING:
            return False
        if domain.state is DomainState.STRAY:
            raise BootstrapError(f"Could not start domain '{domain_name}'.")
        if domain.state is DomainState.SHUT_OFF:
            domain.plugged = set(domain.cables)
            self.on_start(domain.mark.node if domain.mark else "")
        domain.state = DomainState.RUNNING
        return self.changed("start_domain", domain_name)

    def shut_down_domain(self, domain_name: str) -> bool:
        self.called("shut_down_domain", domain_name)
        domain = self._lookup(domain_name)
        if domain.state is DomainState.STRAY:
            raise BootstrapError(f"Could not shut down domain '{domain_name}'.")
        if domain.state not in {DomainState.RUNNING, DomainState.PAUSED}:
            return False
        if domain.state is DomainState.RUNNING and domain_name not in self.deaf:
            domain.state = DomainState.SHUT_OFF
        return self.changed("shut_down_domain", domain_name)

    def suspend_domain(self, domain_name: str) -> bool:
        self.called("suspend_domain", domain_name)
        domain = self._lookup(domain_name)
        if domain.state is DomainState.PAUSED:
            return False
        if domain.state is not DomainState.RUNNING:
            raise BootstrapError(f"Could not suspend domain '{domain_name}'.")
        domain.state = DomainState.PAUSED
        return self.changed("suspend_domain", domain_name)

    def power_off_domain(self, domain_name: str) -> bool:
        self.called("power_off_domain", domain_name)
        domain = self._lookup(domain_name)
        if domain.state not in {DomainState.RUNNING, DomainState.PAUSED, DomainState.STRAY}:
            return False
        domain.state = DomainState.SHUT_OFF
        domain.disks.clear()
        return self.changed("power_off_domain", domain_name)

    def attach_disk(self, domain_name: str, path: Path) -> str:
        self.called("attach_disk", domain_name)
        domain = self._lookup(domain_name)
        if domain.state is not DomainState.RUNNING:
            raise BootstrapError(f"Domain '{domain_name}' does not run.")
        serial = f"bootstrap-{path.stem[:10]}"
        if serial not in domain.disks:
            domain.disks[serial] = path
            self.changed("attach_disk", domain_name)
        return serial

    def detach_disks(self, domain_name: str) -> bool:
        self.called("detach_disks", domain_name)
        domain = self._lookup(domain_name)
        if not domain.disks:
            return False
        domain.disks.clear()
        return self.changed("detach_disks", domain_name)

    def version(self) -> str:
        return self.qemu

    def save_memory(self, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            self.called("save_memory", name)
            if self._lookup(name).state is not DomainState.PAUSED:
                raise BootstrapError(f"Domain '{name}' is not suspended.")
            with path.open("x") as file:
                file.write(f"memory of {name.rpartition('-')[2]}")
            self.changed("save_memory", name)

    def restore_memory(self, files: Mapping[str, Path]) -> None:
        for name, path in files.items():
            self.called("restore_memory", name)
            domain = self._lookup(name)
            if domain.state is not DomainState.SHUT_OFF:
                raise BootstrapError(f"Domain '{name}' is on.")
            if not path.read_text().startswith("memory of "):
                raise BootstrapError(f"The memory of domain '{name}' was not transferred.")
            domain.state = DomainState.PAUSED
            self.changed("restore_memory", name)

    def remove_domain(self, unique: uuid.UUID) -> bool:
        domain = self.domains_by_uuid.get(unique)
        self.called("remove_domain", domain.name if domain else unique)
        if domain is None:
            return False
        if self._ours(domain) is None:
            raise NotOursError(f"Domain '{domain.name}' does not carry our mark.")
        del self.domains_by_uuid[unique]
        return self.changed("remove_domain", domain.name)

    def named(self, name: str) -> Defined | None:
        found = (domain for domain in self.domains_by_uuid.values() if domain.name == name)
        return next(found, None)

    def of_node(self, name: str, cluster: str = "") -> Defined | None:
        """Return the domain of a node of ours by the node's name, in one cluster or in any."""
        marked = ((one, one.mark) for one in self.domains_by_uuid.values() if one.mark)
        found = (
            one for one, mark in marked if mark.node == name and cluster in ("", str(mark.cluster))
        )
        return next(found, None)

    def _all(self, cluster: ClusterName | None) -> list[Domain]:
        ours = filter(None, map(self._ours, self.domains_by_uuid.values()))
        return sorted(
            (domain for domain in ours if cluster in (None, domain.mark.cluster)),
            key=lambda domain: domain.domain_name,
        )

    def _define(self, name: str, unique: uuid.UUID, mark: Mark, definition: object) -> bool:
        known = self.domains_by_uuid.get(unique)
        if known is None:
            self._refuse_foreign(name)
            known = self.domains_by_uuid[unique] = Defined(name, unique)
        elif self._ours(known) is None:
            raise NotOursError(f"Domain '{name}' has our UUID but not our mark.")
        elif known.definition == definition:
            return False
        known.mark, known.definition = mark, definition
        return True

    def _lookup(self, name: str) -> Defined:
        domain = self.named(name)
        if domain is None:
            raise NotFoundError(f"Could not find domain '{name}'.")
        if self._ours(domain) is None:
            raise NotOursError(f"Domain '{name}' does not carry our mark.")
        return domain

    def _refuse_foreign(self, name: str) -> None:
        domain = self.named(name)
        if domain is None:
            return
        mark = domain.mark
        owner = f"uid {mark.owner_uid}, install {mark.install_id}" if mark else "nobody of ours"
        raise NotOursError(f"Domain '{name}' exists and is not ours.", details=f"Owner: {owner}")

    def _ours(self, domain: Defined) -> Domain | None:
        mark = domain.mark
        if mark is None or not mark.is_on(domain.uuid, install_id=self._install_id):
            return None
        return Domain(
            domain_name=domain.name,
            uuid=domain.uuid,
            state=domain.state,
            reason="",
            is_emulated=mark.facts.get("acceleration") == "emulated",
            mark=mark,
        )
