"""Find and end a machine that runs although its libvirt calls it shut off.

A session's daemon knows its emulators by notes in the user's runtime directory. With another such
directory, or after the last logout has removed it, another daemon reads the definitions alone.
"""

import itertools
import os
import select
import signal
from pathlib import Path

import libvirt

from bootstrap.errors import BootstrapError

#: How long QEMU may take to write what it has in memory, in seconds.
_ENDING_S = 20


def emulator_of(domain: libvirt.virDomain) -> int | None:
    """Return the process that runs a domain which libvirt calls shut off; None if there is none."""
    if domain.isActive() or domain.connect().getType() != "QEMU":
        return None
    unique = domain.UUIDString().encode()
    found = (process for process in Path("/proc").iterdir() if process.name.isdigit())
    return next((int(one.name) for one in found if _is_emulator(one, unique)), None)


def end_emulator(domain: libvirt.virDomain) -> None:
    """Cut the power of such a domain; if there is no process, nothing is done.

    :raises BootstrapError: if the process does not end, or may not be ended.
    """
    process = emulator_of(domain)
    if process is None:
        return
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        # Another process may have got the number meanwhile.
        if _is_emulator(Path("/proc") / str(process), domain.UUIDString().encode()):
            _end(descriptor)
    except OSError as error:
        raise _unended(domain.name(), process, str(error.strerror)) from error
    finally:
        os.close(descriptor)


def _is_emulator(process: Path, unique: bytes) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # it has ended
    is_named = any(pair == (b"-uuid", unique) for pair in itertools.pairwise(words))
    return is_named and b"qemu" in words[0]


def _end(descriptor: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        if select.select([descriptor], [], [], _ENDING_S)[0]:
            return
    raise TimeoutError(0, "it does not react to SIGKILL")


def _unended(name: str, process: int, reason: str) -> BootstrapError:
    return BootstrapError(
        f"Could not end the emulator of domain '{name}', which libvirt does not know.",
        details=f"Process {process}: {reason}.",
        hint="bootstrap doctor",
    )
