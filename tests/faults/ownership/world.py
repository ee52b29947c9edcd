"""The whole command line on libvirt's test driver, real disks and files, and others' things.

Only what needs a guest is a fake: nodes answer as soon as their domains run.
"""

import contextlib
import json
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import libvirt
import pytest
import yaml

from bootstrap.adapters.directories import Directories, find_directories, read_install_id
from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.libvirt import hypervisor as libvirt_hypervisor
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.libvirt.marks import MARK_URI, mark_element
from bootstrap.adapters.marker import MARKER
from bootstrap.composition import Composition
from bootstrap.model.identity import Identity
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.ports import Host, Hypervisor, Images
from tests.builders import INSTALL, OTHER_INSTALL, a_mark, a_plan
from tests.fakes.host import FakeHost
from tests.faults.guests import GuestPorts, plug_cables
from tests.world import CommandLine

_EVERYTHING = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE


def raw(connection: Connection) -> libvirt.virConnect:
    """Return libvirt's own connection, for what other clients do."""
    return connection.run("look at everything", lambda opened: opened)


@dataclass
class HostWorld(CommandLine):
    """A user's home, a libvirt, and the command line on them."""

    place: Path
    connection: Connection
    #: The node images, instead of those that the guests boot from.
    images: Images | None = None
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
        libvirts, ours = raw(self.connection), self.ours()
        found: dict[str, object] = {"kubeconfig": self._foreign_entries()}
        for domain in libvirts.listAllDomains():
            if domain.name() not in ours:
                xml, saved = domain.XMLDesc(_EVERYTHING), domain.hasManagedSaveImage()
                found[f"domain {domain.name()}"] = (xml, domain.XMLDesc(), domain.state(), saved)
        for network in libvirts.listAllNetworks():
            found[f"network {network.name()}"] = (network.XMLDesc(), network.isActive())
        for pool in libvirts.listAllStoragePools():
            volumes = pool.listAllVolumes() if pool.isActive() else []
            found[f"pool {pool.name()}"] = [it.XMLDesc() for it in (pool, *volumes)]
        for root in self.foreign_paths:
            below = [] if root.is_symlink() else root.rglob("*")
            found |= {str(path): _described(path) for path in (root, *below)}
        return found

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
        """Define another's domain: ``mark`` is none, other, broken or clone."""
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
        """Make the directory of another: ``kind`` is plain, other, broken or link."""
        directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = self.place / "elsewhere" / directory.name if kind == "link" else directory
        (place / "sub").mkdir(parents=True, mode=0o700)
        place.chmod(0o700)
        (place / "sub" / "precious").write_text("mine")
        (place / "root.qcow2").write_bytes(b"QFI\xfb")
        if kind == "link":
            directory.symlink_to(place)
        markers: dict[str, object] = {
            "link": {"installId": str(self.install), "cluster": directory.name},
            "other": {"installId": str(OTHER_INSTALL)},
            "broken": [],
        }
        if kind in markers:
            (place / MARKER).write_text(json.dumps(markers[kind]))
        self.foreign_paths += {directory, place}

    def add_foreign_entry(self, name: str, section: str) -> None:
        """Add another's entry to the user's kubeconfig."""
        self.kubeconfig.parent.mkdir(exist_ok=True, mode=0o700)
        text = self.kubeconfig.read_text() if self.kubeconfig.exists() else ""
        document = yaml.safe_load(text) or {"apiVersion": "v1", "kind": "Config"}
        body = {"clusters": "cluster", "contexts": "context", "users": "user"}[section]
        document.setdefault(section, []).append({"name": name, body: {"server": "https://mine"}})
        self.kubeconfig.write_text(yaml.safe_dump(document))


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
    """Make the world, with nothing of ours in it; all of it ends with the block."""
    # A driver of our own, with as little in it as can be.
    (place / "node.xml").write_text("<node/>")
    uri = f"test://{place}/node.xml"

    class Ports(GuestPorts):
        @cached_property
        def hypervisor(self) -> Hypervisor:
            return LibvirtHypervisor(world.connection, self.site.install_id)

        @cached_property
        def host(self) -> Host:
            host = FakeHost()
            host.accelerated = Acceleration.EMULATED
            return host

        @cached_property
        def images(self) -> Images:
            return world.images or super().images

    world = HostWorld(Composition(ports=Ports, default_uri=uri), place, Connection(uri))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(place))
        patch.setenv("BOOTSTRAP_HOME", str(place / "bootstrap"))
        patch.delenv("KUBECONFIG", raising=False)
        patch.setattr(libvirt_hypervisor, "plug_cables", plug_cables)
        private_directory(world.directories.state.parent)
        private_directory(world.directories.state)
        write_atomically(world.directories.state / "install-id", f"{INSTALL}\n")
        raw(world.connection)
        yield world
        world.connection.close()
