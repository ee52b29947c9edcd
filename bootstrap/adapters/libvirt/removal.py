"""Remove a domain with everything that libvirt keeps about it."""

import os
from collections.abc import Callable
from pathlib import Path

import libvirt
import platformdirs

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


def undefine(domain: libvirt.virDomain) -> None:
    """Power off and undefine; each half may have been done before.

    Undefining a running domain would leave it running and transient, so power goes first.

    :raises libvirt.libvirtError: if libvirt refuses.
    """
    if domain.isActive():
        _accepting_absence(domain.destroy)
    try:
        _accepting_absence(lambda: domain.undefineFlags(_EVERYTHING))
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {
            libvirt.VIR_ERR_INVALID_ARG,
            libvirt.VIR_ERR_NO_SUPPORT,
            libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
        }:
            raise
        _accepting_absence(lambda: domain.undefineFlags(_WITHOUT_UNKNOWN))


def _accepting_absence(call: Callable[[], object]) -> None:
    try:
        call()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {
            libvirt.VIR_ERR_NO_DOMAIN,
            libvirt.VIR_ERR_OPERATION_INVALID,
        }:
            raise


def remove_log(uri: str, name: str) -> None:
    """Remove the log that libvirt keeps after a domain is gone (L-19)."""
    if uri == "qemu:///system" and os.getuid() == 0:
        directory = Path("/var/log/libvirt/qemu")
    elif uri == "qemu:///session":
        directory = platformdirs.user_cache_path("libvirt") / "qemu" / "log"
    else:
        return
    for log in [directory / f"{name}.log", *directory.glob(f"{name}.log.[0-9]*")]:
        log.unlink(missing_ok=True)
