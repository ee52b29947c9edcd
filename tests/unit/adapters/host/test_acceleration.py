"""What a probe of KVM concludes, with a small program in QEMU's place."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.adapters.host import acceleration
from bootstrap.adapters.host.acceleration import Probe, any_kernel, probe_acceleration
from bootstrap.errors import HostError
from bootstrap.model.plan import Acceleration

pytestmark = pytest.mark.runs_programs
KVM, EMULATED = Acceleration.KVM, Acceleration.EMULATED

Qemu = Callable[[str], None]


@pytest.fixture
def device(tmp_path: Path) -> Path:
    (tmp_path / "kvm").write_text("")
    return tmp_path / "kvm"


@pytest.fixture
def qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Qemu:
    """Put a script in the place of QEMU; it counts its runs."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()

    def install(script: str) -> None:
        program = tmp_path / "bin" / "qemu-system-x86_64"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/runs\n{script}\n')
        program.chmod(0o755)

    return install


def runs(tmp_path: Path) -> int:
    path = tmp_path / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def probed(tmp_path: Path, device: Path) -> Probe:
    return probe_acceleration(tmp_path / "vmlinuz", tmp_path / "cache", device=device)


def test_a_kernel_that_speaks_proves_kvm(qemu: Qemu, tmp_path: Path, device: Path) -> None:
    qemu("echo '[0.0] Linux version 6.12'; exit 0")
    assert probed(tmp_path, device).acceleration is KVM
    assert "accel=kvm" in (tmp_path / "runs").read_text()


def test_the_answer_is_remembered_until_the_next_boot(
    qemu: Qemu, tmp_path: Path, device: Path
) -> None:
    qemu("echo 'Linux version 6.12'")
    first = probed(tmp_path, device)
    assert probed(tmp_path, device) == first
    assert runs(tmp_path) == 1
    memory = tmp_path / "cache" / "acceleration.json"
    memory.write_text(json.dumps(json.loads(memory.read_text()) | {"key": "another boot"}))
    probed(tmp_path, device)
    assert runs(tmp_path) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"key": 1}', '{"until": []}'])
def test_a_damaged_memory_is_asked_no_more(
    qemu: Qemu, tmp_path: Path, device: Path, text: str
) -> None:
    qemu("echo 'Linux version 6.12'")
    (tmp_path / "cache").mkdir(mode=0o700)
    (tmp_path / "cache" / "acceleration.json").write_text(text)
    assert probed(tmp_path, device).acceleration is KVM


def test_a_kernel_that_is_silent_means_emulation(
    qemu: Qemu, tmp_path: Path, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-01: the device opens, and still nothing runs."""
    monkeypatch.setattr(acceleration, "_PROBE_TIMEOUT_S", 0.5)
    qemu("exec sleep 60")
    probe = probed(tmp_path, device)
    assert probe.acceleration is EMULATED
    assert "did not boot" in probe.reason


def test_a_kernel_that_was_too_slow_is_asked_again_after_a_while(
    qemu: Qemu, tmp_path: Path, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-01: the host may have been busy. Not at once, or every command would wait for it."""
    monkeypatch.setattr(acceleration, "_PROBE_TIMEOUT_S", 0.5)
    qemu("exec sleep 60")
    assert probed(tmp_path, device).reason == probed(tmp_path, device).reason
    assert runs(tmp_path) == 1
    later = time.clock_gettime(time.CLOCK_BOOTTIME) + 601
    monkeypatch.setattr(acceleration, "_uptime_s", lambda: later)
    qemu("echo 'Linux version 6.12'")
    assert probed(tmp_path, device).acceleration is KVM


def test_what_qemu_complains_of_is_the_reason(qemu: Qemu, tmp_path: Path, device: Path) -> None:
    qemu("echo 'failed to initialize kvm: Permission denied' >&2; exit 1")
    probe = probed(tmp_path, device)
    assert probe.acceleration is EMULATED
    assert probe.reason == "QEMU with KVM: failed to initialize kvm: Permission denied"


def test_without_the_device_nothing_is_run(qemu: Qemu, tmp_path: Path) -> None:
    qemu("echo 'Linux version 6.12'")
    probe = probed(tmp_path, tmp_path / "missing")
    assert probe.acceleration is EMULATED
    assert "missing" in probe.reason
    assert runs(tmp_path) == 0


def test_a_host_without_qemu_is_told(
    tmp_path: Path, device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="qemu-system-x86_64"):
        probed(tmp_path, device)


def test_a_built_images_kernel_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    kernel = tmp_path / "key" / "vmlinuz"
    kernel.write_text("")
    assert any_kernel(tmp_path) == kernel
    found = any_kernel(tmp_path / "nothing")
    assert found is None or os.access(found, os.R_OK)
