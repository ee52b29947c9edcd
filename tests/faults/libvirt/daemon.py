"""A session libvirtd of an ordinary user, with directories of its own: it may be killed."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt
import psutil

from bootstrap.waiting import NotYet, wait_for

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
NOBODY = 65534
#: Debian keeps daemons out of an ordinary user's PATH.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """The daemon of the moment; after a kill there is another."""

    supervisor: psutil.Process
    place: Path
    socket: Path

    @property
    def uri(self) -> str:
        return f"qemu+unix:///session?socket={self.socket}"

    def process(self) -> psutil.Process:
        return wait_for("libvirtd", self._process, timeout_s=60, interval_s=0.05)

    def kill(self) -> None:
        """End it in the middle of everything; returns when it is dead."""
        process = self.process()
        process.kill()
        process.wait(30)

    def wait(self) -> None:
        wait_for("the private libvirtd", self._answers, timeout_s=60, interval_s=0.1)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it hang for a while."""
        process = self.process()
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    def emulators(self) -> list[psutil.Process]:
        found = []
        for child in self.supervisor.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(word.startswith("guest=") for word in child.cmdline()):
                    found.append(child)
        return found

    def _answers(self) -> None:
        try:
            libvirt.open(self.uri).close()
        except libvirt.libvirtError as error:
            raise NotYet(str(error)) from error

    def _process(self) -> psutil.Process:
        for child in self.supervisor.children():
            if child.name() == "libvirtd" and child.status() != psutil.STATUS_ZOMBIE:
                return child
        raise NotYet("no process yet")


@contextlib.contextmanager
def private_daemon(skip: Callable[[str], object]) -> Iterator[Daemon]:
    """Run one; whatever it started ends with it."""
    program = libvirtd()
    if program is None or shutil.which("qemu-system-x86_64") is None:
        skip("libvirtd or QEMU is not installed")
        return
    with a_place() as place:
        environment = {"PATH": PATH, "HOME": str(place), **directories(place)}
        supervisor = subprocess.Popen(
            [sys.executable, str(_SUPERVISOR), *as_ordinary_user(), program],
            env=environment,
            cwd="/",
            stderr=subprocess.DEVNULL,
        )
        daemon = Daemon(
            supervisor=psutil.Process(supervisor.pid),
            place=place,
            socket=place / "RUNTIME_DIR" / "libvirt" / "libvirt-sock",
        )
        hand_over(place)
        try:
            daemon.wait()
            yield daemon
        finally:
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(30)


def libvirtd() -> str | None:
    return shutil.which("libvirtd", path=PATH)


@contextlib.contextmanager
def a_place() -> Iterator[Path]:
    """Return a directory that an ordinary user's daemon may have for its own."""
    # A socket's path has room for some hundred characters only.
    with tempfile.TemporaryDirectory(prefix="bootstrap-test-", dir="/var/tmp") as name:
        place = Path(name)
        place.chmod(0o711)
        for directory in directories(place).values():
            Path(directory).mkdir(mode=0o700)
        yield place


def directories(place: Path) -> dict[str, str]:
    """Name what of XDG is below ``place``, by its variables."""
    kinds = ("CONFIG_HOME", "CACHE_HOME", "STATE_HOME", "DATA_HOME", "RUNTIME_DIR")
    return {f"XDG_{kind}": str(place / kind) for kind in kinds}


def hand_over(place: Path) -> None:
    """Make everything below ``place`` belong to the user that :func:`as_ordinary_user` gives."""
    for path in (place, *place.rglob("*")):
        if os.getuid() == 0:
            os.lchown(path, NOBODY, NOBODY)


def as_ordinary_user() -> list[str]:
    """Return the words before a command that let root run it as a user without rights."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv", path=PATH)
    assert setpriv is not None
    return [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"]
