"""A libvirt whose n-th call fails, hangs or is the daemon's last."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import libvirt


class When(StrEnum):
    """On which side of the call's effect the fault is."""

    BEFORE = "before"
    AFTER = "after"


def an_error(code: int, source: int = libvirt.VIR_FROM_QEMU) -> libvirt.libvirtError:
    """Return what libvirt raises for an error of one of its parts."""
    text = f"injected {code}"
    error = libvirt.libvirtError(text)
    error.err = (code, source, text, 2, None, None, None, -1, -1)
    # libvirt takes its thread's last text, if there was one.
    error.args = (text,)
    return error


def a_closed_socket() -> libvirt.libvirtError:
    """Return what every call raises after the daemon died."""
    return an_error(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens at the n-th call; a code, or one of the two words."""

    call: int
    when: When
    what: int | str

    def __str__(self) -> str:
        return f"call {self.call}: {self.what} {self.when}"


@dataclass
class Daemon:
    """One life of the daemon; a connection belongs to one."""

    is_alive: bool = True


@dataclass
class FaultyLibvirt:
    """Connects to one libvirt that lives on, whatever happens to the connections."""

    real: libvirt.virConnect
    fault: Fault | None = None
    #: How many connections fail after the daemon has died.
    refusals: int = 1
    names: list[str] = field(default_factory=list)
    refused: int = 0
    daemon: Daemon = field(default_factory=Daemon)
    #: What was plugged through each emulator's monitor, which the test driver has not.
    plugged: dict[str, set[str]] = field(default_factory=dict)
    #: Set at the end of a trial: lets what hangs go.
    released: threading.Event = field(default_factory=threading.Event)

    def connect(self, uri: str) -> object:
        """Stand in for ``libvirt.open``."""
        del uri
        if self.refused:
            self.refused -= 1
            raise an_error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
        self.daemon = Daemon()
        return _Proxy(self.real, self, self.daemon)

    def die(self) -> None:
        """End the daemon; the next one has the same domains."""
        self.daemon.is_alive = False
        self.refused = self.refusals

    def monitor(self, domain: "_Proxy", request: str, flags: int) -> str:
        """Stand in for ``libvirt_qemu.qemuMonitorCommand``."""
        assert flags == 0
        wanted = json.loads(request)
        plugged = self.plugged.setdefault(str(domain.name()), set())

        def answer() -> object:
            match wanted["execute"]:
                case "human-monitor-command":
                    return _network(plugged)
                case "query-migrate":
                    return {}  # nothing is saved
                case "netdev_del":
                    plugged.remove(wanted["arguments"]["id"])
                    return {}
                case _:
                    assert wanted["arguments"]["id"] not in plugged, "it is there already"
                    plugged.add(wanted["arguments"]["id"])
                    return {}

        result = self.called(wanted["execute"], answer, domain._daemon)  # noqa: SLF001
        return json.dumps({"return": result})

    def called(self, name: str, call: Callable[[], object], daemon: Daemon) -> object:
        """Do one call, and what shall go wrong with it."""
        if not daemon.is_alive:
            raise a_closed_socket()
        self.names.append(name)
        fault = self.fault
        if fault is None or len(self.names) != fault.call:
            return call()
        if fault.when is When.AFTER:
            call()
        if fault.what == "hang":
            self.released.wait()
            raise a_closed_socket()
        if fault.what == "die":
            self.die()
            raise a_closed_socket()
        assert isinstance(fault.what, int)
        raise an_error(fault.what)


class _Proxy:
    """A connection or a domain; whatever it gives is one too."""

    def __init__(self, real: object, owner: FaultyLibvirt, daemon: Daemon) -> None:
        self._real, self._owner, self._daemon = real, owner, daemon

    def __getattr__(self, name: str) -> Callable[..., object]:
        value = getattr(self._real, name)
        assert callable(value), f"what is not a call would get past us: {name}"

        def call(*args: object) -> object:
            result = self._owner.called(name, lambda: value(*args), self._daemon)
            return self._wrapped(result)

        return call

    def isAlive(self) -> int:  # noqa: N802 - libvirt's name
        """Answer from the client's memory, as libvirt does."""
        return int(self._daemon.is_alive)

    def close(self) -> None:
        """Leave the real one open: guests live on."""

    def _wrapped(self, result: object) -> object:
        if isinstance(result, list) and result and isinstance(result[0], libvirt.virDomain):
            return [_Proxy(item, self._owner, self._daemon) for item in result]
        if isinstance(result, libvirt.virDomain):
            return _Proxy(result, self._owner, self._daemon)
        return result


def _network(backends: set[str]) -> str:
    """Write what QEMU's ``info network`` writes: a hub's ports with their cables, then others."""
    lines = ["hub 0"]
    for node in sorted({name.partition("-")[2] for name in backends}):
        cable = f"cable-{node}: index=0,type=dgram" if f"cable-{node}" in backends else ""
        is_port = f"port-{node}" in backends
        lines.append(f" \\ port-{node}{': ' if cable else ''}{cable}" if is_port else cable)
    return "\n".join(lines)
