"""The hypervisor host, when it is this machine."""

import contextlib
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from bootstrap.adapters.directories import Directories
from bootstrap.adapters.failures import explained
from bootstrap.adapters.host.acceleration import probe_acceleration
from bootstrap.adapters.host.resources import (
    available_memory_mib,
    free_disk_mib,
    is_port_free,
    usable_cores,
)
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
_PROGRAMS = ("qemu-system-x86_64", "qemu-img", "ssh")


class LocalHost:
    """Implements :class:`bootstrap.ports.Host`; see there for the promises."""

    def __init__(self, directories: Directories, progress: Progress, *, is_system: bool) -> None:
        self._directories = directories
        self._progress = progress
        self._is_system = is_system

    def check(self, spec: ClusterSpec, *, running_mib: int, allow_overcommit: bool) -> None:
        """See the port."""
        problems = [
            f"program: '{program}' is not installed"
            for program in _PROGRAMS
            if shutil.which(program) is None
        ]
        wanted = sum(group.count * group.memory_mib for group in spec.node_groups) - running_mib
        have = available_memory_mib()
        if wanted > have and not allow_overcommit:
            problems.append(f"memory: needs {wanted} MiB more, {have} MiB are available")
        nodes = sum(group.count for group in spec.node_groups)
        free = free_disk_mib(self._directories.volumes)
        if free < nodes * _NODE_DISK_MIB and not running_mib:
            problems.append(
                f"disk: needs {nodes * _NODE_DISK_MIB} MiB under {self._directories.volumes}, "
                f"{free} MiB are free"
            )
        closed = self._closed_directory()
        if closed is not None:
            problems.append(f"directory: the system daemon's user cannot pass {closed}")
        if problems:
            raise HostError(
                f"This host cannot hold cluster '{spec.name}'.",
                details="\n".join(problems),
                hint=f"chmod o+x {shlex.quote(str(closed))}" if closed else "bootstrap doctor",
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

    def _closed_directory(self) -> Path | None:
        if not self._is_system:
            return None
        above = [path for path in self._directories.volumes.parents if path.exists()]
        return next((path for path in above if not path.stat().st_mode & _OTHERS_PASS), None)
