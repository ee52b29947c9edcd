"""A private libvirt daemon whose test driver is shared by processes and survives their death.

It loads no driver but the test driver, which is part of libvirt itself, so that it never
meets the host's own libvirt (faults.md M2).
"""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import libvirt

_PATIENCE_S = 20
_CONFIGURATION = """unix_sock_dir = "{place}"
auth_unix_ro = "none"
auth_unix_rw = "none"
max_clients = 5000
max_anonymous_clients = 5000
max_workers = 40
max_client_requests = 100
"""


class Daemon:
    """The daemon and the connection that keeps its state."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        libvirt.registerErrorHandler(lambda *_: None, None)
        self.keeper = _opened(uri)

    def domains(self) -> dict[str, libvirt.virDomain]:
        """Give all domains, running or only defined, by name."""
        return {domain.name(): domain for domain in self.keeper.listAllDomains()}


@contextlib.contextmanager
def private_daemon(place: Path) -> Iterator[Daemon]:
    """Run a daemon whose every file is in ``place``, which must have a short path."""
    drivers = place / "no-drivers"
    drivers.mkdir()
    configuration = place / "libvirtd.conf"
    configuration.write_text(_CONFIGURATION.format(place=place))
    environment = {name: str(place) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME")}
    environment |= {"XDG_CONFIG_HOME": str(place), "LIBVIRT_DRIVER_DIR": str(drivers)}
    argv = ["libvirtd", "--config", str(configuration), "--pid-file", str(place / "pid")]
    environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    with (place / "log").open("w") as log:
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)
    try:
        daemon = Daemon(f"test+unix:///default?socket={place}/libvirt-sock")
        yield daemon
        daemon.keeper.close()
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE_S)


def _opened(uri: str) -> libvirt.virConnect:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
