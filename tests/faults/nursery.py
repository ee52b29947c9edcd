"""A process that has imported everything once and forks a child for each command.

Run as ``python -m tests.faults.nursery SOCKET``. A request is one line of JSON; the answer
is the child's pid, and in the end its exit code. The nursery has one thread and no libvirt
connection, so a child begins as a new process would.
"""

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import bootstrap
from bootstrap.composition import Composition
from bootstrap.model.names import ClusterName
from bootstrap.model.site import Site
from bootstrap.ports import RunEvents
from bootstrap.workflow.environment import Ports
from tests.faults.guests import GuestMachines, GuestPorts, Memory, plug_cables
from tests.faults.injection import FaultyPorts, Injection


def preload() -> None:
    modules = [module.name for module in pkgutil.walk_packages(bootstrap.__path__, "bootstrap.")]
    modules.remove("bootstrap.__main__")
    for name in (*modules, "pycdlib", "readline"):
        importlib.import_module(name)


def serve(path: str) -> dict[str, Any]:
    """Fork for each request; returns, with the request, in each child only."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4096)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps those that wait
    while True:
        client, _address = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _forked(client)
        client.close()


def _forked(client: socket.socket) -> dict[str, Any]:
    """Fork the command and wait for it; its pid is its own until the test has read the end."""
    with client, client.makefile("r") as asked:
        request = dict(json.loads(asked.readline()))
        pid = os.fork()
        if pid == 0:
            return request
        client.sendall(f"{pid}\n".encode())
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        with contextlib.suppress(OSError):  # the test has given up
            client.sendall(f"{code}\n".encode())
            asked.readline()
        os.waitpid(pid, 0)
        os._exit(0)


def become(request: dict[str, Any]) -> None:
    """Make the forked child what a shell would have started."""
    os.setsid()
    for received in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(received, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    os.umask(0o022)
    if request["user"] is not None:
        os.setgroups([])
        os.setgid(request["user"])
        os.setuid(request["user"])
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = ((os.devnull, os.O_RDONLY), (request["stdout"], append), (request["stderr"], append))
    for number, (name, flags) in enumerate(files):
        descriptor = os.open(name, flags, 0o600)
        os.dup2(descriptor, number, inheritable=True)
        os.close(descriptor)
    sys.argv = ["bootstrap", *request["words"]]
    Path(request["began"]).touch()


def run(request: dict[str, Any]) -> None:
    """Run the command's own `main`, with guests where nothing can boot."""
    from bootstrap.adapters.libvirt import hypervisor as libvirt_hypervisor
    from bootstrap.cli import main

    faulthandler.register(signal.SIGUSR1)  # a command that hangs prints its stack
    injection = Injection(request)
    GuestPorts.memory = Memory(injection.off)
    GuestMachines.saved = Path(os.environ["BOOTSTRAP_FAULT_PLACE"]) / "guests"
    uri = os.environ["BOOTSTRAP_FAULT_URI"]

    def ports(site: Site, events: RunEvents, cluster: ClusterName | None) -> Ports:
        return FaultyPorts(GuestPorts(site, events, cluster), injection)

    if uri.startswith("test"):
        # By plain assignment, so that mypy compares the two signatures.
        libvirt_hypervisor.plug_cables = plug_cables  # type: ignore[attr-defined] # where it is called
    composition = Composition(ports=ports, default_uri=uri)
    injection.install()
    main(composition)


if __name__ == "__main__":
    preload()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.collect()
    gc.freeze()
    request = serve(sys.argv[1])
    # The command ends with the interpreter, as a process of its own does.
    become(request)
    run(request)
