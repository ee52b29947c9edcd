"""One libvirt, fake or real, with other people's domains in it: for contract tests."""

import contextlib
import ctypes
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import psutil
import pytest

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.adapters.volumes.store import FileVolumes
from bootstrap.errors import HostError
from bootstrap.model.cluster import DomainState
from bootstrap.model.plan import ClusterPlan
from bootstrap.ports import Hypervisor
from tests.builders import URI, an_image
from tests.fakes.hypervisor import Defined, FakeHypervisor

_FOREIGN = """<domain type='{kind}'><name>{name}</name><uuid>{unique}</uuid>
<memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os></domain>"""


class FakeWorldOfDomains:
    """The fake, and what a contract test may do behind its back."""

    def __init__(self) -> None:
        self.image, self.place, self.uri = an_image(), Path("/volumes"), URI
        self._domains: dict[uuid.UUID, Defined] = {}

    def hypervisor(self, install_id: uuid.UUID) -> Hypervisor:
        return FakeHypervisor(install_id, shared=self._domains)

    def prepare(self, plan: ClusterPlan) -> None:
        """Make the files that the plan's domains need to start: none."""

    def define_foreign(self, name: str, unique: uuid.UUID | None = None) -> None:
        unique = unique or uuid.uuid4()
        self._domains[unique] = Defined(name, unique)

    def pause(self, name: str) -> None:
        self._named(name).state = DomainState.PAUSED

    def save(self, name: str) -> None:
        self._named(name).state = DomainState.SAVED

    def write(self, path: Path, data: bytes) -> None:
        """Nothing reads it."""

    def describe(self, name: str) -> str | None:
        """Tell all that is known of a domain, none if there is no such domain."""
        return next((repr(it) for it in self._domains.values() if it.name == name), None)

    def _named(self, name: str) -> Defined:
        return next(it for it in self._domains.values() if it.name == name)


class LibvirtWorld:
    """A real libvirt: its test driver, or QEMU."""

    def __init__(self, connection: Connection, place: Path, kind: str) -> None:
        self.place, self.uri = place, connection.uri
        self.image = replace(an_image(place), kernel=place / "kernel")
        self._connection, self._kind = connection, kind
        #: The foreign domains that were defined here; others test on the same libvirt.
        self.foreign: set[str] = set()

    def hypervisor(self, install_id: uuid.UUID) -> Hypervisor:
        return LibvirtHypervisor(self._connection, install_id)

    def prepare(self, plan: ClusterPlan) -> None:
        if self._kind == "test":
            return
        self.image.disk.write_bytes(bytes(1 << 20))
        self.image.kernel.write_bytes(halting_kernel())
        self.image.initrd.write_bytes(bytes(512))
        volumes = FileVolumes(self.place / "volumes", plan.install_id, mode=0o711)
        volumes.ensure_switch_directory(plan.switch)
        for node in plan.nodes:
            volumes.ensure_root_volume(node, image=self.image)
            volumes.ensure_seed_volume(node, {"meta-data": ""})

    def define_foreign(self, name: str, unique: uuid.UUID | None = None) -> None:
        unique = unique or uuid.uuid4()
        self.foreign.add(str(unique))
        text = _FOREIGN.format(kind=self._kind, name=name, unique=unique)
        _open(self._connection).defineXML(text)

    def pause(self, name: str) -> None:
        self.raw(name).suspend()

    def save(self, name: str) -> None:
        self.raw(name).managedSave()

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        path.chmod(0o444)

    def describe(self, name: str) -> str | None:
        for domain in _open(self._connection).listAllDomains():
            if domain.name() == name:
                return f"{domain.XMLDesc()} {domain.state()} {domain.hasManagedSaveImage()}"
        return None

    def raw(self, name: str) -> libvirt.virDomain:
        return _open(self._connection).lookupByName(name)


World = FakeWorldOfDomains | LibvirtWorld


@contextlib.contextmanager
def driver_world(directory: Path) -> Iterator[LibvirtWorld]:
    """Open a test driver of our own, which ends with the connection."""
    file = directory / "node.xml"
    file.write_text("<node/>")
    connection = Connection(f"test://{file}")
    yield LibvirtWorld(connection, directory, "test")
    connection.close()


@contextlib.contextmanager
def qemu_world(skip: Callable[[str], object]) -> Iterator[LibvirtWorld]:
    """Use this user's own QEMU; everything that was defined in it goes at the end."""
    uri = "qemu:///system" if os.getuid() == 0 else "qemu:///session"
    if shutil.which("qemu-system-x86_64") is None or shutil.which("qemu-img") is None:
        skip("QEMU is not installed")
    # The system daemon's user must pass; pytest's own directories are for us alone, and too
    # deep for the sockets that a session daemon makes below its configuration.
    with (
        tempfile.TemporaryDirectory(prefix="bootstrap-test-", dir="/var/tmp") as name,
        pytest.MonkeyPatch.context() as patch,
        contextlib.ExitStack() as stack,
    ):
        place = Path(name)
        place.chmod(0o711)
        patch.setenv("XDG_CONFIG_HOME", name)
        patch.setenv("XDG_RUNTIME_DIR", _runtime_directory())
        connection = Connection(uri)
        stack.callback(_end_daemon, name)
        stack.callback(connection.close)
        try:
            _open(connection)
        except HostError as error:
            skip(f"{error.message} {error.details}")
            return
        world = LibvirtWorld(connection, place, "qemu")
        stack.callback(_remove_all, connection, world)
        yield world


def _runtime_directory() -> str:
    """Return where libvirt's client looks for the daemon: glib reads the variable only once."""
    glib = ctypes.CDLL("libglib-2.0.so.0")
    glib.g_get_user_runtime_dir.restype = ctypes.c_char_p
    return os.fsdecode(glib.g_get_user_runtime_dir())


def _end_daemon(config_home: str) -> None:
    """End the session daemon that was started for this world, which outlives its clients."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            is_ours = process.environ().get("XDG_CONFIG_HOME") == config_home
            if is_ours and process.name() == "libvirtd":
                process.terminate()
                process.wait(30)


def _open(connection: Connection) -> libvirt.virConnect:
    return connection.run("open", lambda it: it)


def _remove_all(connection: Connection, world: LibvirtWorld) -> None:
    for domain in _open(connection).listAllDomains():
        # Another's may go away at any moment.
        with contextlib.suppress(libvirt.libvirtError):
            if domain.UUIDString() in world.foreign or str(world.place) in domain.XMLDesc():
                if domain.isActive():
                    domain.destroy()
                if domain.isPersistent():
                    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)


def halting_kernel() -> bytes:
    """Return a kernel that the boot protocol accepts and that does nothing at all."""
    kernel = bytearray(8192)
    kernel[0x1F1] = 1  # sectors of set-up code
    kernel[0x1FE:0x200] = b"\x55\xaa"
    kernel[0x200:0x202] = b"\xfa\xf4"  # cli; hlt
    kernel[0x202:0x206] = b"HdrS"
    kernel[0x206:0x208] = b"\x03\x02"  # version 2.03 of the protocol
    kernel[0x211] = 1  # loaded high
    kernel[0x22C:0x230] = b"\xff\xff\xff\x37"  # highest address of an initrd
    return bytes(kernel)
