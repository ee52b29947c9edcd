"""A private libvirt daemon whose test driver is shared by processes and survives their death.

It loads no driver but the test driver, which is part of libvirt itself, so that it never
meets the host's own libvirt (M2).
"""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libvirt

from bootstrap.waiting import NotYet, wait_for

_CONFIGURATION = """unix_sock_dir = "{place}"
auth_unix_ro = "none"
auth_unix_rw = "none"
max_clients = 5000
max_anonymous_clients = 5000
max_workers = 40
max_client_requests = 100
"""


@dataclass(frozen=True)
class Daemon:
    """The daemon's address, and the connection that keeps its state."""

    uri: str
    keeper: libvirt.virConnect


@contextlib.contextmanager
def private_daemon(place: Path) -> Iterator[Daemon]:
    """Run a daemon whose every file is in ``place``, which must have a short path."""
    drivers = place / "no-drivers"
    drivers.mkdir(parents=True)
    configuration = place / "libvirtd.conf"
    configuration.write_text(_CONFIGURATION.format(place=place))
    environment = {name: str(place) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME")}
    environment |= {"XDG_CONFIG_HOME": str(place), "LIBVIRT_DRIVER_DIR": str(drivers)}
    argv = ["libvirtd", "--config", str(configuration), "--pid-file", str(place / "pid")]
    environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    uri = f"test+unix:///default?socket={place}/libvirt-sock"
    libvirt.registerErrorHandler(lambda *_: None, None)

    def opened() -> libvirt.virConnect:
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError as error:
            raise NotYet(str(error)) from error

    with (place / "log").open("w") as log:
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    try:
        keeper = wait_for("the private libvirtd", opened, timeout_s=20, interval_s=0.05)
        yield Daemon(uri, keeper)
        keeper.close()
    finally:
        process.terminate()
        process.wait(timeout=20)
