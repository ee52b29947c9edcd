"""Save the memory of several guests at once, and restore it: begin all, then wait for all."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import libvirt

from bootstrap.adapters.libvirt import memory
from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.errors import BootstrapError
from bootstrap.waiting import NotYet, wait_for

Lookup = Callable[[str, libvirt.virConnect], libvirt.virDomain]

_INTERVAL_S = 0.1


def save(connection: Connection, lookup: Lookup, files: Mapping[str, Path]) -> None:
    """Write the memory of suspended guests to new files.

    :raises BootstrapError: if one cannot be written; the guests stay suspended.
    """
    for name, path in files.items():
        work = partial(_begin, memory.begin_saving, lookup, name, path)
        _run_once(connection, f"save the memory of domain '{name}'", work, name, "migrate")
    _wait(connection, lookup, list(files))


def restore(
    connection: Connection,
    lookup: Lookup,
    files: Mapping[str, Path],
    begun: Callable[[str], None],
) -> None:
    """Start domains with the memory in files; ``begun`` gets the name of each that has power.

    :raises BootstrapError: if one is on already, or its memory cannot be read.
    """
    for name, path in files.items():
        work = partial(_begin, memory.begin_restoring, lookup, name, path)
        action = f"restore the memory of domain '{name}'"
        _run_once(connection, action, work, name, "migrate_incoming")
        begun(name)
    _wait(connection, lookup, list(files))


def _begin(
    begin: Callable[[libvirt.virDomain, Path], None],
    lookup: Lookup,
    name: str,
    path: Path,
    connection: libvirt.virConnect,
) -> None:
    begin(lookup(name, connection), path)


def _wait(connection: Connection, lookup: Lookup, names: Sequence[str]) -> None:
    wait_for(
        f"the memory of {', '.join(names)}",
        partial(_refuse_unfinished, connection, lookup, names),
        timeout_s=connection.deadlines.transferring_s,
        interval_s=_INTERVAL_S,
        hint="bootstrap list",
    )


def _refuse_unfinished(connection: Connection, lookup: Lookup, names: Sequence[str]) -> None:
    def unfinished(living: libvirt.virConnect) -> list[str]:
        return [name for name in names if not memory.is_transferred(lookup(name, living))]

    words = ("qemu-monitor-command", names[0], "--hmp", "info migrate")
    if left := connection.run("look at memory", unfinished, virsh=words):
        raise NotYet(f"on its way: {', '.join(left)}")


def _run_once(
    connection: Connection,
    action: str,
    work: Callable[[libvirt.virConnect], None],
    name: str,
    command: str,
) -> None:
    """Do work that must not write to its file a second time: a lost connection ends it."""
    begun: list[bool] = []

    def guarded(living: libvirt.virConnect) -> None:
        if begun:
            raise BootstrapError(
                "The connection to libvirt was lost while memory was transferred.",
                hint="bootstrap list",
            )
        begun.append(True)
        work(living)

    virsh = ("qemu-monitor-command", name, "--hmp", f"{command} fd:...")
    connection.run(action, guarded, changes=True, virsh=virsh)
