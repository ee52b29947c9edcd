"""Say in QEMU's words what is at an end of a cable.

libvirt 9.0 knows neither datagram sockets nor hubs, so these are arguments of QEMU, as JSON:
a path may then hold any character.
"""

import json
from collections.abc import Iterable, Mapping

from bootstrap.model.plan import CableEnd

LOOPBACK = "127.0.0.1"

Backend = Mapping[str, object]


def cable_end(name: str, *, local: CableEnd, remote: CableEnd) -> Backend:
    """Describe a network backend that receives at ``local`` and sends to ``remote``."""
    return {"type": "dgram", "id": name, "local": _address(local), "remote": _address(remote)}


def backend_arguments(backends: Iterable[Backend]) -> list[str]:
    """Return the backends as arguments of QEMU."""
    return [word for backend in backends for word in ("-netdev", json.dumps(backend))]


def _address(end: CableEnd) -> dict[str, str]:
    if isinstance(end, int):
        return {"type": "inet", "host": LOOPBACK, "port": str(end)}
    return {"type": "unix", "path": str(end)}
