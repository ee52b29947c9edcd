"""The hypervisor host, when it is this machine."""

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.failures import explained
from bootstrap.adapters.host.acceleration import any_kernel, probe_acceleration
from bootstrap.adapters.host.resources import (
    available_memory_mib,
    free_disk_mib,
    is_port_free,
    processor,
    usable_cores,
)
from bootstrap.adapters.libvirt.session import path_excess, socket_excess
from bootstrap.adapters.locks import locked
from bootstrap.errors import HostError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.names import SWITCH
from bootstrap.model.plan import Acceleration
from bootstrap.model.site import SESSION, SYSTEM
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import Events

#: The size of a node's overlay after the first hours; container images are in its base.
_NODE_DISK_MIB = 2048
_ALLOCATION_PATIENCE_S = 120
#: The user of the guests of the system daemon must pass every directory above a volume.
_OTHERS_PASS = 0o001
_LONGEST_CABLE = "9999.s"
_IN_HOME = "export XDG_CONFIG_HOME=~/.c"
#: Made by root, since where anybody may make directories another user may be the first.
_OUTSIDE_HOME = (
    "sudo install -d -o $USER -m u=rwx /var/lib/libvirt-$USER && "
    "export XDG_CONFIG_HOME=/var/lib/libvirt-$USER"
)
_DOCTOR = "bootstrap doctor"
_PROGRAMS = ("qemu-system-x86_64", "qemu-img", "ssh")


@dataclass(frozen=True, slots=True)
class _Problem:
    text: str
    hint: str = _DOCTOR


class LocalHost:
    """Implements :class:`bootstrap.ports.Host`; see there for the promises."""

    def __init__(
        self,
        directories: Directories,
        events: Events,
        *,
        is_system: bool,
        is_session: bool = False,
    ) -> None:
        """Both are false for a libvirt on another host and for its test driver."""
        self._directories = directories
        self._events = events
        self._is_system, self._is_session = is_system, is_session

    def check(self, spec: ClusterSpec, *, running_mib: int, allow_overcommit: bool) -> None:
        """See the port."""
        problems = [
            *self._unreadable_files(spec),
            *_missing_programs(),
            *([] if allow_overcommit else _missing_memory(spec, running_mib)),
            *([] if running_mib else self._missing_disk(spec)),
            *([] if running_mib else self._deep_configuration(spec)),
            *([] if running_mib else self._deep_volumes(spec)),
        ]
        if problems:
            special = next((one for one in problems if one.hint != _DOCTOR), problems[0])
            raise HostError(
                f"This host cannot hold cluster '{spec.name}'.",
                details="\n".join(problem.text for problem in problems),
                hint=special.hint,
            )

    @explained("remember whether KVM works")
    def acceleration(self, image: NodeImage) -> Acceleration:
        """See the port."""
        probe = probe_acceleration(image.kernel, self._directories.cache)
        if probe.acceleration is Acceleration.EMULATED:
            self._events.note(f"No KVM ({probe.reason}): emulating, 20 to 30 times slower.")
        return probe.acceleration

    @explained("remember whether KVM works")
    def expected_acceleration(self) -> Acceleration:
        """See the port."""
        kernel = any_kernel(self._directories.images)
        if kernel is None:
            return Acceleration.EMULATED
        return probe_acceleration(kernel, self._directories.cache).acceleration

    @contextlib.contextmanager
    def allocation(self) -> Iterator[None]:
        """See the port."""
        with locked(
            self._directories.host_lock,
            what="the ports of this host",
            timeout_s=_ALLOCATION_PATIENCE_S,
        ):
            yield

    def is_port_free(self, port: int) -> bool:
        """See the port."""
        return is_port_free(port)

    @explained("look up the processor")
    def processor(self) -> str:
        """See the port."""
        return processor()

    @property
    def cores(self) -> int:
        """See the port."""
        return usable_cores()

    def _missing_disk(self, spec: ClusterSpec) -> Iterator[_Problem]:
        place, wanted = self._directories.volumes, _nodes(spec) * _NODE_DISK_MIB
        free = free_disk_mib(place)
        if free < wanted:
            yield _Problem(f"disk: needs {wanted} MiB under {place}, {free} MiB are free")

    def _unreadable_files(self, spec: ClusterSpec) -> Iterator[_Problem]:
        if not self._is_system:
            return
        if os.getuid() != 0:
            # The daemon would give the disks to QEMU's user, who may not pass this user's
            # directories, and the console logs to root, so that this user could not read them.
            yield _Problem(
                f"user: machines of '{SYSTEM}' run as another user, who cannot read your files; "
                f"'{SESSION}' runs them as you",
                hint=f"bootstrap up {spec.name} --hypervisor qemu:///session",
            )
            return
        above = [path for path in self._directories.volumes.parents if path.exists()]
        closed = next((path for path in above if not path.stat().st_mode & _OTHERS_PASS), None)
        if closed is not None:
            yield _Problem(
                f"directory: the system daemon's user cannot pass {closed}",
                hint=f"chmod o+x {shlex.quote(str(closed))}",
            )

    def _deep_configuration(self, spec: ClusterSpec) -> Iterator[_Problem]:
        domain = f"{spec.name}-control-plane"
        excess = socket_excess(domain)
        if self._is_session and excess:
            yield _Problem(
                f"sockets: the path of the user's configuration is {excess} bytes too long for "
                "libvirt's; set another one for this and for every later command",
                # The same each time that it is typed: libvirt keeps the machines there.
                hint=_IN_HOME if not socket_excess(domain, Path.home() / ".c") else _OUTSIDE_HOME,
            )

    def _deep_volumes(self, spec: ClusterSpec) -> Iterator[_Problem]:
        longest = self._directories.volumes / str(spec.name) / SWITCH / _LONGEST_CABLE
        excess = path_excess(longest)
        if self._is_session and excess:
            yield _Problem(
                f"sockets: '{longest}' is {excess} bytes too long for a socket; use a shorter "
                "cluster name or a shorter BOOTSTRAP_HOME, which every later command needs too",
                hint="export BOOTSTRAP_HOME=~/b",
            )


def _missing_programs() -> Iterator[_Problem]:
    for program in _PROGRAMS:
        if shutil.which(program) is None:
            yield _Problem(f"program: '{program}' is not installed")


def _missing_memory(spec: ClusterSpec, running_mib: int) -> Iterator[_Problem]:
    wanted = sum(group.count * group.memory_mib for group in spec.node_groups) - running_mib
    have = available_memory_mib()
    if wanted > have:
        yield _Problem(f"memory: needs {wanted} MiB more, {have} MiB are available")


def _nodes(spec: ClusterSpec) -> int:
    return sum(group.count for group in spec.node_groups)
