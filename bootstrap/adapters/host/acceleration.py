"""Find out whether KVM works by booting a kernel with it.

Neither ``/dev/kvm`` nor libvirt's capabilities prove it: on some hosts both exist and a
stock kernel never prints a line.
"""

import json
import os
import platform
import time
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
#: A busy host is no slow host for ever; without any memory each command would wait again.
_DOUBT_S = 600
_PROOF = "Linux version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The result of the probe, and its reason."""

    acceleration: Acceleration
    reason: str
    #: Whether it holds until the host reboots: a kernel that was too slow proves nothing.
    is_proved: bool = True


def probe_acceleration(kernel: Path, cache: Path, *, device: Path = _DEVICE) -> Probe:
    """Boot ``kernel`` with KVM; the result is stored until the host reboots.

    That of a kernel that did not boot in time is stored for ten minutes only.

    :raises HostError: if QEMU is not installed.
    """
    if not os.access(device, os.R_OK | os.W_OK):
        reason = f"{device} is missing or not accessible for this user"
        return Probe(acceleration=Acceleration.EMULATED, reason=reason)
    memory = cache / "acceleration.json"
    key = _boot_and_user()
    known = _stored(memory, key)
    if known is None:
        known = _boot(kernel)
        private_directory(cache)
        answer: dict[str, object] = {
            "key": key,
            "acceleration": known.acceleration.value,
            "reason": known.reason,
        }
        if not known.is_proved:
            answer["until"] = _uptime_s() + _DOUBT_S
        write_atomically(memory, json.dumps(answer))
    return known


def any_kernel(images: Path) -> Path | None:
    """Return a kernel for the probe: that of a node image, or of the host."""
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
        reason = f"a kernel started with KVM did not boot in {_PROBE_TIMEOUT_S} s"
        return Probe(acceleration=Acceleration.EMULATED, reason=reason, is_proved=False)
    if _PROOF in done.stdout:
        return Probe(acceleration=Acceleration.KVM, reason="a kernel booted with KVM")
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return Probe(acceleration=Acceleration.EMULATED, reason=f"QEMU with KVM: {last}")


def _boot_and_user() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.getuid()}"


def _uptime_s() -> float:
    """Return the seconds since the host booted, which no set clock changes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _stored(memory: Path, key: str) -> Probe | None:
    try:
        answer = json.loads(memory.read_text())
        if answer["key"] != key or _uptime_s() > float(answer.get("until", "inf")):
            return None
        return Probe(
            acceleration=Acceleration(answer["acceleration"]), reason=str(answer["reason"])
        )
    except (OSError, ValueError, KeyError, TypeError, BootstrapError):
        return None
