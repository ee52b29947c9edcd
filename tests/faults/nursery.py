"""A process that has imported everything once and forks a child for each command.

Run as ``python -m tests.faults.nursery SOCKET``. A request is one line of JSON; the answer
is the child's pid, and in the end its wait status. The nursery has one thread and no
libvirt connection, so a child begins as a new process would.
"""

import contextlib
import gc
import json
import os
import resource
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any


def serve(path: str) -> dict[str, Any]:
    """Fork for each request; returns, with the request, in each child only."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(4096)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ, None)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                _reap(selector, key)
                continue
            client, _address = listener.accept()
            with client.makefile() as request:
                line = request.readline()
            if not line:
                sys.exit(0)
            pid = os.fork()
            if pid == 0:
                # Through their owners: an owner that closed its number later would close ours.
                _close(selector, listener, client)
                return dict(json.loads(line))
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, client))
            client.sendall(f"{pid}\n".encode())


def _reap(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    pid, client = key.data
    _, status = os.waitpid(pid, 0)
    selector.unregister(key.fd)
    os.close(key.fd)
    with contextlib.suppress(OSError):  # the test that asked has given up
        client.sendall(f"{status}\n".encode())
    client.close()


def _close(
    selector: selectors.BaseSelector, listener: socket.socket, client: socket.socket
) -> None:
    for key in selector.get_map().values():
        if key.data is not None:
            os.close(key.fd)
            key.data[1].close()
    selector.close()
    listener.close()
    client.close()


def become(request: dict[str, Any]) -> None:
    """Make the forked child what a shell would have started."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    os.umask(0o022)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for output, name in ((1, request["stdout"]), (2, request["stderr"])):
        descriptor = os.open(name, flags, 0o600)
        os.dup2(descriptor, output, inheritable=True)
        os.close(descriptor)
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.dup2(descriptor, 0, inheritable=True)
    os.close(descriptor)
    sys.argv = ["bootstrap", *request["words"]]
    Path(request["began"]).touch()


def main() -> None:
    """Serve; in a child, run the command to the interpreter's own end."""
    from tests.faults import child

    child.preload()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.collect()
    gc.freeze()
    request = serve(sys.argv[1])
    become(request)
    child.run(request)


if __name__ == "__main__":
    main()
