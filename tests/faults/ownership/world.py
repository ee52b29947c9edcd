"""The whole command line on libvirt's test driver, real disks and files, and others' things.

Only what needs a guest is a fake: nodes answer as soon as their domains run.
"""

import contextlib
import json
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import libvirt
import pytest
import yaml
from click.testing import CliRunner, Result

from bootstrap.adapters.directories import Directories, find_directories, read_install_id
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.libvirt import hypervisor as libvirt_hypervisor
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.libvirt.marks import MARK_URI, mark_element
from bootstrap.adapters.volumes.marker import MARKER
from bootstrap.cli import wiring
from bootstrap.cli.console import StepProgress
from bootstrap.cli.group import cli
from bootstrap.model.cluster import Domain, NodeImage
from bootstrap.model.identity import Identity
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration, ClusterPlan, LinkPlan, NodePlan
from bootstrap.ports import (
    CheckResult,
    Hypervisor,
    NodeShell,
    PlaybookResult,
    Progress,
    Reachable,
    ShellResult,
)
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from tests.builders import INSTALL, OTHER_INSTALL, a_mark, a_plan
from tests.fakes.cluster_api import FakeClusterApi
from tests.fakes.host import FakeHost
from tests.fakes.images import FakeImages

#: What has a fake here.
_REPLACED = (
    (libvirt_hypervisor, "plug_link"),
    (wiring, "default_uri"),
    (wiring, "build_hypervisor"),
    (wiring, "build_api"),
    (wiring, "build_shell"),
    (wiring, "build_ports"),
)
_EVERYTHING = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE


def raw(connection: Connection) -> libvirt.virConnect:
    """Give libvirt's own connection, for what other people do."""
    return connection.run("look at everything", lambda opened: opened)


class _Api(FakeClusterApi):
    def __init__(self) -> None:
        super().__init__()
        self.is_up = True

    def verify(self, *_: object, **__: object) -> list[CheckResult]:
        return [CheckResult(name="all", ok=True, evidence="as told")]


class _Shell:
    def __init__(self, world: "HostWorld") -> None:
        self._world = world

    def is_ready(self, node: Reachable) -> None:
        if not raw(self._world.connection).lookupByName(node.name).isActive():
            raise NotYet("connection refused")

    def run(self, node: Reachable, command: str, *, timeout_s: float) -> ShellResult:
        del command, timeout_s
        self.is_ready(node)
        return ShellResult(exit_status=0, stdout=self._world.guest_output, stderr="")


class _Playbooks:
    def __init__(self, api: FakeClusterApi) -> None:
        self._api = api

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        del plan, secrets
        self._api.nodes |= {node.name: "Ready" for node in nodes}
        changed = {node.name: 1 for node in nodes}
        return PlaybookResult(changed=changed, finished=frozenset(changed))


def _plug_link(domain: libvirt.virDomain, node: NodePlan, link: LinkPlan) -> bool:
    """Stand in for QEMU's monitor, which the test driver has not."""
    assert link in node.links
    assert domain.isActive()
    return False


@dataclass
class HostWorld:
    """A user's home, a libvirt, and the command line on them."""

    place: Path
    connection: Connection
    api: _Api = field(default_factory=_Api)
    guest_output: str = ""
    #: Files and directories of others; each with all that is below it.
    foreign_paths: list[Path] = field(default_factory=list)

    @property
    def directories(self) -> Directories:
        return find_directories()

    @property
    def install(self) -> uuid.UUID | None:
        return read_install_id(self.directories)

    @property
    def kubeconfig(self) -> Path:
        return self.place / ".kube" / "config"

    def run(self, *words: str) -> Result:
        """Run one command; whatever is no error of ours is raised."""
        result = CliRunner().invoke(cli, words, prog_name="bootstrap")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def identity(self, cluster: str) -> Identity:
        assert self.install is not None
        return Identity(self.install, ClusterName(cluster))

    def ours(self) -> set[str]:
        """Name the domains that carry our mark, read without our code's help."""
        found = set()
        for domain in raw(self.connection).listAllDomains():
            for mark in ET.fromstring(domain.XMLDesc(_EVERYTHING)).iter(f"{{{MARK_URI}}}node"):  # noqa: S314
                identity = self.identity(mark.attrib.get("cluster", "none"))
                same = str(identity.uuid_of("domain", mark.attrib.get("name", "")))
                if mark.attrib.get("install") == str(self.install) and same == domain.UUIDString():
                    found.add(domain.name())
        return found

    def foreign(self) -> dict[str, object]:
        """Describe to the last byte all that belongs to others."""
        libvirts = raw(self.connection)
        ours = self.ours()
        domains = {
            f"domain {domain.name()}": (
                domain.XMLDesc(_EVERYTHING),
                domain.XMLDesc(),
                domain.state(),
                domain.hasManagedSaveImage(),
            )
            for domain in libvirts.listAllDomains()
            if domain.name() not in ours
        }
        networks = {
            f"network {network.name()}": (network.XMLDesc(), network.isActive())
            for network in libvirts.listAllNetworks()
        }
        pools = {
            f"pool {pool.name()}": (pool.XMLDesc(), _volumes(pool))
            for pool in libvirts.listAllStoragePools()
        }
        paths = {str(path): _described(path) for root in self.foreign_paths for path in _tree(root)}
        return {**domains, **networks, **pools, **paths, "kubeconfig": self._foreign_entries()}

    def _foreign_entries(self) -> object:
        if not self.kubeconfig.exists():
            return {}
        document = yaml.safe_load(self.kubeconfig.read_text()) or {}
        mark = f"'installId': '{self.install}'"
        for section in ("clusters", "contexts", "extensions", "users"):
            if section in document:
                document[section] = [item for item in document[section] if mark not in str(item)]
        named = {item["name"] for item in document.get("contexts", [])}
        if document.get("current-context") not in named:
            document["current-context"] = ""
        ours = ("apiVersion", "kind")  # of a file that we began
        return {key: value for key, value in document.items() if value and key not in ours}

    def define_foreign(self, name: str, *, mark: str, unique: uuid.UUID, running: bool) -> None:
        """Define somebody's domain: ``mark`` is none, other, broken or clone."""
        root = ET.Element("domain", {"type": "test"})
        for tag, text in (("name", name), ("uuid", str(unique)), ("title", "mine")):
            ET.SubElement(root, tag).text = text
        ET.SubElement(root, "memory", {"unit": "MiB"}).text = "32"
        ET.SubElement(ET.SubElement(root, "os"), "type").text = "hvm"
        element = self._mark(mark)
        if element is not None:
            ET.SubElement(root, "metadata").append(element)
        domain = raw(self.connection).defineXML(ET.tostring(root, "unicode"))
        if running:
            domain.create()

    def _mark(self, kind: str) -> ET.Element | None:
        plan = a_plan()
        mark = a_mark(plan, plan.nodes[0])
        match kind:
            case "other":
                return mark_element(replace(mark, install_id=OTHER_INSTALL), digest="x")
            case "clone":
                assert self.install is not None
                return mark_element(replace(mark, install_id=self.install), digest="x")
            case "broken":
                return ET.Element(f"{{{MARK_URI}}}node", {"install": str(self.install)})
            case _:
                return None

    def make_foreign_directory(self, directory: Path, kind: str) -> None:
        """Make somebody's directory: ``kind`` is plain, other, broken or link."""
        directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if kind == "link":
            target = self.place / "elsewhere" / directory.name
            target.mkdir(parents=True)
            (target / "precious").write_text("mine")
            (target / MARKER).write_text(json.dumps({"installId": str(self.install)}))
            (target / "cluster-name").write_text(f"{directory.name}\n")
            directory.symlink_to(target)
            self.foreign_paths += [directory, target]
            return
        (directory / "sub").mkdir(parents=True, mode=0o700)
        directory.chmod(0o700)
        (directory / "sub" / "precious").write_text("mine")
        (directory / "root.qcow2").write_bytes(b"QFI\xfb")
        if kind in {"other", "broken"}:
            content = json.dumps({"installId": str(OTHER_INSTALL)}) if kind == "other" else "[]"
            (directory / MARKER).write_text(content)
        self.foreign_paths.append(directory)

    def add_foreign_entry(self, name: str, section: str) -> None:
        """Put somebody's entry into the user's kubeconfig."""
        self.kubeconfig.parent.mkdir(exist_ok=True, mode=0o700)
        text = self.kubeconfig.read_text() if self.kubeconfig.exists() else ""
        document = yaml.safe_load(text) or {"apiVersion": "v1", "kind": "Config"}
        body = {"clusters": "cluster", "contexts": "context", "users": "user"}[section]
        document.setdefault(section, []).append({"name": name, body: {"server": "https://mine"}})
        self.kubeconfig.write_text(yaml.safe_dump(document))


def _volumes(pool: libvirt.virStoragePool) -> list[str]:
    return [volume.XMLDesc() for volume in pool.listAllVolumes()] if pool.isActive() else []


def _tree(root: Path) -> Iterator[Path]:
    yield root
    if not root.is_symlink():
        yield from root.rglob("*")


def _described(path: Path) -> object:
    status = path.lstat()
    content: object = None
    if path.is_symlink():
        content = path.readlink()
    elif path.is_file():
        content = path.read_bytes()
    # A directory's time tells of entries that came and went.
    return (status.st_mode, status.st_uid, status.st_ino, status.st_mtime_ns, content)


@contextlib.contextmanager
def host_world(place: Path) -> Iterator[HostWorld]:
    """Give the world, with nothing of ours in it; all of it ends with the block."""
    # A driver of our own, with as little in it as can be.
    (place / "node.xml").write_text("<node/>")
    uri = f"test://{place}/node.xml"
    world = HostWorld(place, Connection(uri))
    images, host = FakeImages(), FakeHost()
    host.accelerated = Acceleration.EMULATED
    disk = place / "images" / "disk.raw"
    disk.parent.mkdir()
    disk.write_bytes(bytes(1 << 16))
    images.built[images.key] = NodeImage(
        key=images.key,
        disk=disk,
        kernel=place / "vmlinuz",
        initrd=place / "initrd",
        kubernetes_version="v1.37.2",
        size_bytes=1 << 16,
    )
    build_ports = wiring.build_ports

    def hypervisor(site: wiring.Site, progress: Progress | None = None) -> Hypervisor:
        del progress
        return LibvirtHypervisor(world.connection, site.install_id)

    def shell(site: wiring.Site, cluster: ClusterName) -> NodeShell:
        del site, cluster
        return _Shell(world)

    def ports(site: wiring.Site, cluster: ClusterName, progress: StepProgress) -> Ports:
        real = build_ports(site, cluster, progress)
        return replace(real, images=images, host=host, playbooks=_Playbooks(world.api))

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(place))
        patch.setenv("BOOTSTRAP_HOME", str(place / "bootstrap"))
        patch.delenv("KUBECONFIG", raising=False)
        # The patch gives them back; mypy checks only what is assigned.
        for owner, name in _REPLACED:
            patch.setattr(owner, name, getattr(owner, name))
        libvirt_hypervisor.plug_link = _plug_link  # type: ignore[attr-defined] # where it is called
        wiring.default_uri = lambda: uri
        wiring.build_hypervisor = hypervisor
        wiring.build_api = lambda: world.api
        wiring.build_shell = shell
        wiring.build_ports = ports
        private_directory(world.directories.state.parent)
        private_directory(world.directories.state)
        write_atomically(world.directories.state / "install-id", f"{INSTALL}\n")
        raw(world.connection)
        yield world
        world.connection.close()


def domain_of(world: HostWorld, name: str) -> Domain | None:
    """Find a domain of ours by the adapter."""
    found = LibvirtHypervisor(world.connection, world.install).domains()
    return next((domain for domain in found if domain.name == name), None)
