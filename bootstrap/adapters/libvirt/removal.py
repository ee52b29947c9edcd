"""Remove a domain with everything that libvirt keeps about it."""

import os
import shlex
import uuid
from collections.abc import Callable
from pathlib import Path

import libvirt
import platformdirs

from bootstrap.adapters.libvirt.errors import is_absence
from bootstrap.adapters.libvirt.power import power_off
from bootstrap.errors import BootstrapError

_EVERYTHING = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)
#: The test driver knows neither checkpoints nor NVRAM.
_WITHOUT_UNKNOWN = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
)
_UNKNOWN_FLAG = {
    libvirt.VIR_ERR_INVALID_ARG,
    libvirt.VIR_ERR_NO_SUPPORT,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
}
_ROUNDS = 3


def find(connection: libvirt.virConnect, unique: uuid.UUID) -> libvirt.virDomain | None:
    """Look among the active and the inactive; None if the domain is in neither list."""
    try:
        return connection.lookupByUUIDString(str(unique))
    except libvirt.libvirtError as error:
        if is_absence(error):
            return None
        raise


def remove(connection: libvirt.virConnect, unique: uuid.UUID, uri: str) -> None:
    """Power off and undefine until the domain is in neither list; whatever is done, is done.

    Undefining a domain that runs leaves it running and transient, so power goes first; if
    another process starts it in between, there is another round. The log goes while the
    domain still exists: a run that is killed in between is found, and finished, by the next.

    :raises libvirt.libvirtError: if libvirt refuses.
    :raises BootstrapError: if the domain is still there after all.
    """
    for _ in range(_ROUNDS):
        domain = find(connection, unique)
        if domain is None:
            return
        name = domain.name()
        _accepting_absence(lambda: power_off(domain))  # noqa: B023 - called at once
        _remove_logs(uri, name)
        _accepting_absence(lambda: _undefine(domain))  # noqa: B023 - called at once
    left = find(connection, unique)
    if left is not None:
        raise BootstrapError(
            f"Could not remove domain '{left.name()}': it comes back.",
            details=f"Removed {_ROUNDS} times; another process starts or defines it again.",
            hint="bootstrap list",
        )


def _undefine(domain: libvirt.virDomain) -> None:
    # One that was made without a definition has gone with its power.
    if not domain.isPersistent():
        return
    try:
        domain.undefineFlags(_EVERYTHING)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in _UNKNOWN_FLAG:
            raise
        domain.undefineFlags(_WITHOUT_UNKNOWN)


def _accepting_absence(call: Callable[[], object]) -> None:
    try:
        call()
    except libvirt.libvirtError as error:
        if not is_absence(error):
            raise


def _remove_logs(uri: str, name: str) -> None:
    """Remove the log that libvirt would keep after the domain is gone (L-19)."""
    if uri == "qemu:///system" and os.getuid() == 0:
        directory = Path("/var/log/libvirt/qemu")
    elif uri == "qemu:///session":
        directory = platformdirs.user_cache_path("libvirt") / "qemu" / "log"
    else:
        return
    for log in [directory / f"{name}.log", *directory.glob(f"{name}.log.[0-9]*")]:
        _remove_log(log)


def _remove_log(log: Path) -> None:
    try:
        log.unlink(missing_ok=True)
    except OSError as error:
        raise BootstrapError(
            f"Could not remove libvirt's log '{log}'.",
            details=f"{error.strerror}",
            hint=f"sudo rm {shlex.quote(str(log))}",
        ) from error
