"""A hypervisor that holds domains in memory, ours and others'."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bootstrap.errors import NotFoundError, NotOursError
from bootstrap.model.cluster import Domain, DomainState, Mark, NodeImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import NodePlan
from tests.fakes.recording import Fake, Journal


@dataclass
class Defined:
    """One domain; without a mark it is somebody else's."""

    name: str
    uuid: uuid.UUID
    mark: Mark | None = None
    definition: object = None
    links: frozenset[str] = frozenset()
    state: DomainState = DomainState.SHUT_OFF
    #: The cables that the running domain has.
    plugged: set[str] = field(default_factory=set)


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
        self.on_start: Callable[[str], None] = lambda _name: None
        self._install_id = install_id

    def domains(self, cluster: ClusterName | None = None) -> Sequence[Domain]:
        self.called("domains")
        ours = filter(None, map(self._ours, self.domains_by_uuid.values()))
        return sorted(
            (domain for domain in ours if cluster in (None, domain.mark.cluster)),
            key=lambda domain: domain.name,
        )

    def ensure_domain(
        self, node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool
    ) -> bool:
        self.called("ensure_domain", node.name)
        definition = (replace(node, labels={}), image, emulated)
        known = self.domains_by_uuid.get(node.uuid)
        if known is None:
            self._refuse_foreign(node.name)
            known = self.domains_by_uuid[node.uuid] = Defined(node.name, node.uuid)
        elif self._ours(known) is None:
            raise NotOursError(f"Domain '{node.name}' has our UUID but not our mark.")
        elif known.definition == definition:
            return False
        known.mark, known.definition = mark, definition
        known.links = frozenset(link.node for link in node.links)
        return self.changed("ensure_domain", node.name)

    def start_domain(self, name: str) -> bool:
        self.called("start_domain", name)
        domain = self._lookup(name)
        if domain.state is DomainState.RUNNING:
            return False
        if domain.state is DomainState.SHUT_OFF:
            domain.plugged = set(domain.links)
            self.on_start(name)
        domain.state = DomainState.RUNNING
        return self.changed("start_domain", name)

    def power_off_domain(self, name: str) -> bool:
        self.called("power_off_domain", name)
        domain = self._lookup(name)
        if domain.state not in {DomainState.RUNNING, DomainState.PAUSED}:
            return False
        domain.state = DomainState.SHUT_OFF
        return self.changed("power_off_domain", name)

    def ensure_link(self, node: NodePlan, worker: str) -> bool:
        self.called("ensure_link", f"{node.name} {worker}")
        domain = self._lookup(node.name)
        if domain.state is not DomainState.RUNNING or worker in domain.plugged:
            return False
        domain.plugged.add(worker)
        return self.changed("ensure_link", f"{node.name} {worker}")

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
        """Give any domain by its name."""
        found = (domain for domain in self.domains_by_uuid.values() if domain.name == name)
        return next(found, None)

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
            name=domain.name,
            uuid=domain.uuid,
            state=domain.state,
            reason="",
            is_emulated=mark.facts.get("acceleration") == "emulated",
            mark=mark,
        )
