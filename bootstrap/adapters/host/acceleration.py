"""Learn whether KVM works by booting a kernel with it.

Neither ``/dev/kvm`` nor libvirt's capabilities prove anything: on some hosts both are
there and a stock kernel never prints a line (lab.md).
"""

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.plan import Acceleration

_DEVICE = Path("/dev/kvm")
_EMULATOR = "qemu-system-x86_64"
#: With KVM a kernel without a root file system panics and ends within 3 s.
_PROBE_TIMEOUT_S = 15
_PROOF = "Linux version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was learnt, and from what."""

    acceleration: Acceleration
    reason: str


def probe_acceleration(kernel: Path, cache: Path, *, device: Path = _DEVICE) -> Probe:
    """Boot ``kernel`` under KVM; the answer is kept until the host reboots.

    :raises HostError: if QEMU is not installed.
    """
    if not os.access(device, os.R_OK | os.W_OK):
        reason = f"{device} is missing or not accessible for this user"
        return Probe(acceleration=Acceleration.EMULATED, reason=reason)
    memory = cache / "acceleration.json"
    key = _situation()
    known = _remembered(memory, key)
    if known is None:
        known = _boot(kernel)
        private_directory(cache)
        answer = {"key": key, "acceleration": known.acceleration.value, "reason": known.reason}
        write_atomically(memory, json.dumps(answer))
    return known


def any_kernel(images: Path) -> Path | None:
    """Name a kernel to probe with: a node image's, or the host's own."""
    built = sorted(images.glob("*/vmlinuz"))
    candidates = [*built, Path("/boot") / f"vmlinuz-{platform.release()}"]
    return next((path for path in candidates if os.access(path, os.R_OK)), None)


def _boot(kernel: Path) -> Probe:
    argv = [_EMULATOR, "-machine", "pc,accel=kvm", "-cpu", "host", "-m", "256", "-nodefaults"]
    argv += ["-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", str(kernel)]
    argv += ["-append", "console=ttyS0 panic=-1"]
    try:
        done = run(argv, action="boot a kernel", timeout_s=_PROBE_TIMEOUT_S, check=False)
    except TimedOutError:
        reason = f"a kernel started with KVM printed nothing useful in {_PROBE_TIMEOUT_S} s"
        return Probe(acceleration=Acceleration.EMULATED, reason=reason)
    if _PROOF in done.stdout:
        return Probe(acceleration=Acceleration.KVM, reason="a kernel booted with KVM")
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return Probe(acceleration=Acceleration.EMULATED, reason=f"QEMU with KVM: {last}")


def _situation() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.getuid()}"


def _remembered(memory: Path, key: str) -> Probe | None:
    try:
        answer = json.loads(memory.read_text())
        if answer["key"] != key:
            return None
        return Probe(
            acceleration=Acceleration(answer["acceleration"]), reason=str(answer["reason"])
        )
    except (OSError, ValueError, KeyError, TypeError, BootstrapError):
        return None
