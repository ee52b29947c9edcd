"""Tell a domain that libvirt's daemon has lost in the middle of its start, and the way out.

libvirt 9.0 notes a start before there is an emulator. A daemon that is killed just then leaves
a note of an emulator without a process, and each next daemon takes a lock for it that it never
gives back: the domain cannot be started, destroyed or undefined while the note is there.
"""

import os
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt
import platformdirs

from bootstrap.adapters.libvirt.errors import is_busy, restart_command
from bootstrap.errors import BootstrapError

_SYSTEM = Path("/run/libvirt/qemu")
_SYSTEM_URI, _SESSION_URI = "qemu:///system", "qemu:///session"
_NO_PROCESS = {"0", "-1"}


def lost_start(domain: libvirt.virDomain, error: libvirt.libvirtError) -> BootstrapError | None:
    """Give the error to raise if ``error`` comes from a start that was lost; else None."""
    if not is_busy(error):
        return None
    note = _note(domain)
    if not _is_lost(note):
        return None
    return BootstrapError(
        f"libvirt can neither start nor stop domain '{domain.name()}'.",
        details="Its daemon died while it started the domain, and left a note of an emulator "
        "that does not exist. Without the note the domain is powered off again.",
        hint=f"sudo rm {shlex.quote(str(note))}; {restart_command(_SYSTEM_URI)}"
        if note.parent == _SYSTEM
        else f"rm {shlex.quote(str(note))}; {restart_command(_SESSION_URI)}",
    )


def _note(domain: libvirt.virDomain) -> Path:
    name = f"{domain.name()}.xml"
    if "/session" not in domain.connect().getURI():
        return _SYSTEM / name
    # As GLib has it, by which libvirt goes.
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or platformdirs.user_cache_path())
    return runtime / "libvirt" / "qemu" / "run" / name


def _is_lost(note: Path) -> bool:
    try:
        status = ET.fromstring(note.read_text())  # noqa: S314 - libvirt's own file
    except (OSError, ET.ParseError):
        return False
    return status.get("reason") == "starting up" and status.get("pid") in _NO_PROCESS
