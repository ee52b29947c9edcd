"""An ordinary user's daemon, as libvirt's client starts it, on a host that is busy."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.libvirt.daemon import PATH, a_place, directories, hand_over, libvirtd

_ROOT = Path(__file__).parents[3]


@pytest.fixture
def place() -> Iterator[Path]:
    """Have a daemon that starts when it may."""
    program = libvirtd()
    if program is None:
        pytest.skip("libvirtd is not installed")
    with a_place() as place:
        daemon = place / "libvirtd"
        wait = f"until [ -e {place}/may-start ]; do sleep 0.1; done"
        daemon.write_text(f'#!/bin/sh\n{wait}\nexec {program} "$@"\n')
        daemon.chmod(0o755)
        hand_over(place)
        try:
            yield place
        finally:
            _end_all(place)


def _end_all(place: Path) -> None:
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == str(place):
                process.kill()
                process.wait(30)
        except psutil.Error:
            continue


def connected(place: Path, *, refusals: int, starting_s: int, directory: str = ".") -> Any:
    """Tell what came of connecting."""
    environment = {"PATH": PATH, "HOME": str(place), "LIBVIRTD_PATH": str(place / directory)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.libvirt.client", str(refusals), str(starting_s)],
        env=environment | directories(place),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_daemon_that_starts_slowly_is_waited_for(place: Path) -> None:
    """P-02, L-07: libvirt's client has given it up after 5 s."""
    came = connected(place, refusals=1, starting_s=60)
    assert came["message"] == ""
    assert came["attempts"] > 1


def test_a_daemon_that_never_starts_is_told_after_the_deadline(place: Path) -> None:
    """P-02."""
    came = connected(place, refusals=1000, starting_s=0)
    assert came["message"] == "Could not reach libvirt at 'qemu:///session'."
    assert came["hint"].startswith("sudo apt-get install libvirt-daemon-system")
    assert came["attempts"] == 2


def test_a_daemon_that_is_not_installed_is_not_waited_for(place: Path) -> None:
    """P-02."""
    came = connected(place, refusals=1000, starting_s=60, directory="nothing")
    assert came["message"] == "Could not reach libvirt at 'qemu:///session'."
    assert came["attempts"] == 1
