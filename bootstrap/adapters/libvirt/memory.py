"""Save a guest's memory and devices to a file, and start a domain from one.

libvirt's own save files name the domain, and its ABI check lets no other be started from them.
QEMU's stream knows neither name nor UUID, so QEMU's migration is used, over a file that libvirt
hands to it: docs/explanation/decisions/0026-snapshots-by-qemus-own-migration.md.
"""

import json
import os
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import libvirt
import libvirt_qemu

from bootstrap.adapters.libvirt.elements import add_arguments
from bootstrap.errors import BootstrapError

#: QEMU's name of the file; one at a time.
_FILE = "bootstrap-memory"
#: Bytes a second; QEMU's own default is that of a shared network.
_UNLIMITED = 1 << 40
#: QEMU's words for a stream that is on its way.
_ON_ITS_WAY = {"setup", "active", "device", "pre-switchover", "cancelling"}
_DEFERRED = ("-incoming", "defer")
#: libvirt's codes if QEMU's monitor ends within a question, and if the daemon does.
_CUT_OFF = {libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_SYSTEM_ERROR}


def begin_saving(domain: libvirt.virDomain, path: Path) -> None:
    """Have QEMU write memory and devices of a suspended guest to a new file; does not wait."""
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
        _hand_over(domain, descriptor)
    _ask(domain, "migrate-set-parameters", {"max-bandwidth": _UNLIMITED})
    _ask(domain, "migrate", {"uri": f"fd:{_FILE}"})


def begin_restoring(domain: libvirt.virDomain, path: Path) -> None:
    """Start a domain that waits for memory and devices, and give it a file; does not wait.

    Its definition stays as it is. The guest is suspended.
    """
    text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
    root = ET.fromstring(text)  # noqa: S314 - libvirt's own
    add_arguments(root, _DEFERRED)
    for generation in root.iterfind("genid"):
        generation.text = str(uuid.uuid4())
    waiting = domain.connect().createXML(
        ET.tostring(root, encoding="unicode"), libvirt.VIR_DOMAIN_START_PAUSED
    )
    try:
        with _opened(path, os.O_RDONLY) as descriptor:
            _hand_over(waiting, descriptor)
        _ask(waiting, "migrate-incoming", {"uri": f"fd:{_FILE}"})
    except BaseException:
        waiting.destroy()
        raise


def is_transferred(domain: libvirt.virDomain) -> bool:
    """Tell whether the stream has ended well.

    :raises BootstrapError: if it has failed.
    """
    try:
        found = _progress(domain)
    except libvirt.libvirtError as error:
        if not _has_ended(domain, error):
            raise
        raise BootstrapError(
            f"QEMU ended while it transferred the memory of domain '{domain.name()}'.",
            details="It can read what the same QEMU wrote, undamaged, for a machine with the same "
            "devices. QEMU's own log of the domain has its reason.",
            hint="bootstrap doctor",
        ) from error
    status = found.get("status", "setup")
    if status == "completed":
        return True
    if status in _ON_ITS_WAY:
        return False
    raise BootstrapError(
        f"The memory of domain '{domain.name()}' was not transferred: {status}.",
        details=str(found.get("error-desc", "")),
        hint="bootstrap list",
    )


def break_off(domain: libvirt.virDomain) -> None:
    """Make QEMU write to no file any more; a guest that went on would stop at its end."""
    try:
        status = _progress(domain).get("status")
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return  # it is no QEMU
        raise
    if status in _ON_ITS_WAY:
        _ask(domain, "migrate_cancel", {})


def _has_ended(domain: libvirt.virDomain, error: libvirt.libvirtError) -> bool:
    """Tell whether the error means that QEMU has ended, before or while it was asked."""
    code = error.get_error_code()
    if code in _CUT_OFF:
        return bool(domain.connect().isAlive())
    return bool(code == libvirt.VIR_ERR_OPERATION_INVALID)


def _progress(domain: libvirt.virDomain) -> Mapping[str, object]:
    found = _ask(domain, "query-migrate", {})
    return found if isinstance(found, dict) else {}


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _hand_over(domain: libvirt.virDomain, descriptor: int) -> None:
    request = json.dumps({"execute": "getfd", "arguments": {"fdname": _FILE}})
    libvirt_qemu.qemuMonitorCommandWithFiles(domain, request, [descriptor], 0)


def _ask(domain: libvirt.virDomain, command: str, arguments: Mapping[str, object]) -> object:
    request = json.dumps({"execute": command, "arguments": dict(arguments)})
    answer: dict[str, object] = json.loads(libvirt_qemu.qemuMonitorCommand(domain, request, 0))
    if "error" in answer:
        raise BootstrapError(
            f"QEMU refused '{command}' for domain '{domain.name()}'.",
            details=json.dumps(answer["error"]),
            hint="bootstrap list",
        )
    return answer["return"]
