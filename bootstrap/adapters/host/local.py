"""The hypervisor host, when it is this machine."""

import contextlib
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.failures import explained
from bootstrap.adapters.host.acceleration import probe_acceleration
from bootstrap.adapters.host.resources import (
    available_memory_mib,
    free_disk_mib,
    is_port_free,
    usable_cores,
)
from bootstrap.adapters.libvirt.session import socket_excess
from bootstrap.adapters.locks import locked
from bootstrap.errors import HostError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import Progress

#: What a node's overlay grows to in the first hours; images are unpacked in the base.
_NODE_DISK_MIB = 2048
_ALLOCATION_PATIENCE_S = 120
#: The user the system daemon runs guests as must pass every directory above a volume.
_OTHERS_PASS = 0o001
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
        progress: Progress,
        *,
        is_system: bool,
        is_session: bool = False,
    ) -> None:
        """Neither is said of a libvirt that is elsewhere or only a test's."""
        self._directories = directories
        self._progress = progress
        self._is_system, self._is_session = is_system, is_session

    def check(self, spec: ClusterSpec, *, running_mib: int, allow_overcommit: bool) -> None:
        """See the port."""
        problems = [
            *_missing_programs(),
            *([] if allow_overcommit else _missing_memory(spec, running_mib)),
            *([] if running_mib else self._missing_disk(spec)),
            *self._closed_directory(),
            *([] if running_mib else self._deep_configuration(spec)),
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
            self._progress.note(f"No KVM ({probe.reason}): emulating, 20 to 30 times slower.")
        return probe.acceleration

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

    @property
    def cores(self) -> int:
        """See the port."""
        return usable_cores()

    def _missing_disk(self, spec: ClusterSpec) -> Iterator[_Problem]:
        place, wanted = self._directories.volumes, _nodes(spec) * _NODE_DISK_MIB
        free = free_disk_mib(place)
        if free < wanted:
            yield _Problem(f"disk: needs {wanted} MiB under {place}, {free} MiB are free")

    def _closed_directory(self) -> Iterator[_Problem]:
        above = [path for path in self._directories.volumes.parents if path.exists()]
        closed = next((path for path in above if not path.stat().st_mode & _OTHERS_PASS), None)
        if self._is_system and closed is not None:
            yield _Problem(
                f"directory: the system daemon's user cannot pass {closed}",
                hint=f"chmod o+x {shlex.quote(str(closed))}",
            )

    def _deep_configuration(self, spec: ClusterSpec) -> Iterator[_Problem]:
        excess = socket_excess(f"{spec.name}-control-plane")
        if self._is_session and excess:
            yield _Problem(
                f"sockets: the user's configuration is {excess} bytes too deep for libvirt's; "
                "what is set for this command must be set for every later one",
                # A directory that nobody else can have made before.
                hint="export XDG_CONFIG_HOME=$(mktemp -d /var/tmp/libvirt-XXXXXX)",
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
