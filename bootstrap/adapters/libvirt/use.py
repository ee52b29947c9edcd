"""Ask libvirt what a domain uses of its host."""

import contextlib

import libvirt

from bootstrap.ports import MachineUse

_NANOSECONDS, _KIB_PER_MIB = 10**9, 1024


def use_of(domain: libvirt.virDomain) -> MachineUse | None:
    """Return what a domain uses; None if it has no power."""
    _, _, memory_kib, _, cpu_ns = domain.info()
    if not domain.isActive():
        return None
    # What the emulator takes, in place of what the guest was promised; not every driver knows it.
    with contextlib.suppress(libvirt.libvirtError):
        memory_kib = domain.memoryStats().get("rss", memory_kib)
    return MachineUse(cpu_s=cpu_ns / _NANOSECONDS, memory_mib=memory_kib // _KIB_PER_MIB)
