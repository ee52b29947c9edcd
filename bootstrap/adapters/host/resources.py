"""Measure the resources of the host: memory, disk, processors, ports."""

import os
import shutil
import socket
from pathlib import Path

_MIB = 1024 * 1024
_CGROUP = Path("/sys/fs/cgroup")


def available_memory_mib(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = _CGROUP) -> int:
    """Return the MiB for guests: the kernel's estimate, or the rest of the cgroup's limit."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
    available = int(lines["MemAvailable"].split()[0]) // 1024
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is None or used is None:
        return available
    return min(available, max(0, limit - used) // _MIB)


def free_disk_mib(directory: Path) -> int:
    """Return the free MiB on the file system of ``directory``, which need not exist."""
    existing = next(path for path in [directory, *directory.parents] if path.exists())
    return shutil.disk_usage(existing).free // _MIB


def is_port_free(port: int) -> bool:
    """Return whether the port on 127.0.0.1 can be bound by TCP and by UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def usable_cores() -> int:
    """Count the processors that this process may run on."""
    return len(os.sched_getaffinity(0))


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the model of the first processor and its abilities, in their order."""
    first = cpuinfo.read_text().partition("\n\n")[0]
    parts = [line.partition(":") for line in first.splitlines()]
    fields = {name.strip(): value.strip() for name, _, value in parts}
    abilities = " ".join(sorted(fields.get("flags", "").split()))
    return f"{fields.get('model name', 'unknown')}: {abilities}"


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None  # no such controller, or no limit
