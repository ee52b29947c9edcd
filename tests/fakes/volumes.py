"""Volumes in memory."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.errors import NotOursError
from bootstrap.model.cluster import Domain, NodeImage
from bootstrap.model.keys import check_alias
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ROOT_VOLUME, NodePlan, SwitchPlan
from bootstrap.model.snapshot import Origin
from tests.fakes.recording import Fake, Journal

PANIC = "[    1.0] Kernel panic - not syncing: Fatal exception"


@dataclass
class Held:
    """A cluster's directory; without an owner it is foreign."""

    owner: uuid.UUID | None
    #: The cluster that the marker names; that of a copy names another one.
    cluster: str = ""
    #: The libvirt whose machines use it.
    hypervisor: str = ""
    #: Path -> what it holds: a base's path, or a seed's files, or nothing any more.
    files: dict[Path, object] = field(default_factory=dict)
    #: What each node remembers on its disk of what was done on it.
    memory: dict[str, set[str]] = field(default_factory=dict)
    #: Root volumes that wait for their nodes: what each is a copy of.
    staged: dict[str, str] = field(default_factory=dict)
    origin: Origin | None = None


class FakeVolumes(Fake):
    """Implements ``Volumes``; also what nodes write to their consoles."""

    port = "volumes"

    def __init__(
        self, install_id: uuid.UUID, journal: Journal | None = None, *, hypervisor: str = ""
    ) -> None:
        super().__init__(journal)
        self.held: dict[str, Held] = {}
        self.consoles: dict[str, str] = {}
        #: How many of a node's next boots end in a panic.
        self.panics: dict[str, int] = {}
        self._install_id, self._hypervisor = install_id, hypervisor

    def boot(self, name: str) -> None:
        """Write a console anew, as QEMU does at each start."""
        left = self.panics.get(name, 0)
        self.panics[name] = max(0, left - 1)
        self.consoles[name] = f"Linux version 6\n{PANIC}\n" if left else "Linux version 6\n"

    def ensure_root_volume(self, node: NodePlan, *, image: NodeImage) -> bool:
        self.called("ensure_root_volume", node.name)
        return self._ensure("ensure_root_volume", node.directory, node.root_volume, image.disk)

    def ensure_seed_volume(self, node: NodePlan, files: Mapping[str, str]) -> bool:
        self.called("ensure_seed_volume", node.name)
        held = self.held.get(node.directory.parent.name)
        if held and held.files.get(node.seed_volume) not in (None, dict(files)):
            del held.files[node.seed_volume]  # of a run that was killed before the first boot
        return self._ensure("ensure_seed_volume", node.directory, node.seed_volume, dict(files))

    def ensure_switch_directory(self, switch: SwitchPlan) -> bool:
        self.called("ensure_switch_directory", switch.directory.parent.name)
        return self._ensure("ensure_switch_directory", switch.directory, switch.directory, None)

    def remove_seed_volume(self, node: NodePlan) -> bool:
        self.called("remove_seed_volume", node.name)
        files = self.held[node.directory.parent.name].files
        if files[node.seed_volume] is None:
            return False
        files[node.seed_volume] = None
        return self.changed("remove_seed_volume", node.name)

    def disk_bytes(self, domain: Domain) -> int:
        self.called("disk_bytes", domain.name)
        return 1 << 20

    def save_disk(self, domain: Domain, target: Path) -> None:
        self.called("save_disk", domain.name)
        held = self.held[domain.directory.parent.name]
        base = str(held.files[domain.directory / ROOT_VOLUME])
        memory = sorted(held.memory.get(domain.name, ()))
        target.write_text(json.dumps({"base": base, "memory": memory}))
        self.changed("save_disk", domain.name)

    def stage_disk(self, cluster: ClusterName, node: str, source: Path) -> None:
        check_alias(node)
        self.called("stage_disk", node)
        self._claimed(str(cluster)).staged[node] = source.read_text()
        self.changed("stage_disk", node)

    def use_staged_disk(self, node: NodePlan, *, image: NodeImage) -> None:
        self.called("use_staged_disk", node.name)
        held = self.held[node.directory.parent.name]
        content = json.loads(held.staged.pop(node.name))
        held.files[node.root_volume] = image.disk
        held.memory[node.name] = set(content["memory"])
        self.changed("use_staged_disk", node.name)

    def origin(self, cluster: ClusterName) -> Origin | None:
        self.called("origin", cluster)
        held = self.held.get(str(cluster))
        return held.origin if held else None

    def write_origin(self, cluster: ClusterName, origin: Origin) -> None:
        self.called("write_origin", cluster)
        self._claimed(str(cluster)).origin = origin
        self.changed("write_origin", cluster)

    def sync(self, cluster: ClusterName) -> None:
        self.called("sync", cluster)

    def console(self, node: NodePlan) -> str:
        return self.consoles.get(node.name, "")

    def restore_marker(self, cluster: ClusterName, nodes: Collection[Path]) -> bool:
        self.called("restore_marker", cluster)
        held = self.held.get(str(cluster))
        named = {node.parent.name for node in nodes if held and self._has(held, node)}
        if held is None or held.owner is not None or str(cluster) not in named:
            return False
        held.owner = self._install_id
        return self.changed("restore_marker", cluster)

    @staticmethod
    def _has(held: Held, node: Path) -> bool:
        return any(path.parent == node for path in held.files)

    def clusters(self) -> Sequence[ClusterName]:
        self.called("clusters")
        ours = (name for name, held in self.held.items() if not self._fault(name, held))
        return [ClusterName(name) for name in sorted(ours)]

    def images(self) -> Collection[str]:
        held = (held.files.items() for held in self.held.values())
        bases = (base for files in held for path, base in files if path.name == ROOT_VOLUME)
        return {base.parent.name for base in bases if isinstance(base, Path)}

    def remove_node(self, cluster: ClusterName, node: str) -> bool:
        check_alias(node)
        self.called("remove_node", node)
        held = self.held.get(str(cluster))
        if held is None:
            return False
        gone = [path for path in held.files if path.parent.name == node]
        if not gone:
            return False
        if fault := self._fault(str(cluster), held):
            raise NotOursError(f"Directory '{cluster}' is not ours.", details=fault)
        for path in gone:
            del held.files[path]
        held.memory.pop(node, None)
        return self.changed("remove_node", node)

    def remove_cluster(self, cluster: ClusterName) -> bool:
        self.called("remove_cluster", cluster)
        held = self.held.get(str(cluster))
        if held is None:
            return False
        if fault := self._fault(str(cluster), held):
            raise NotOursError(f"Directory '{cluster}' is not ours.", details=fault)
        del self.held[str(cluster)]
        return self.changed("remove_cluster", cluster)

    def _ensure(self, method: str, directory: Path, path: Path, content: object) -> bool:
        held = self._claimed(directory.parent.name)
        if path in held.files:
            return False
        held.files[path] = content
        return self.changed(method, directory.name)

    def _claimed(self, name: str) -> Held:
        held = self.held.setdefault(name, Held(self._install_id, name, self._hypervisor))
        if fault := self._fault(name, held):
            raise NotOursError(f"Directory '{name}' is not ours.", details=fault)
        return held

    def _fault(self, name: str, held: Held) -> str:
        if held.owner is None:
            return "It does not carry our marker."
        if held.owner != self._install_id:
            return f"Its marker is of another install of this tool: {held.owner}."
        if held.cluster != name:
            return f"Its marker names another cluster: {held.cluster}."
        if held.hypervisor != self._hypervisor:
            return f"Its machines are at '{held.hypervisor}'."
        return ""
