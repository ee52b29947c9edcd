"""Translate libvirt's errors at the edge."""

import contextlib
import shlex
from collections.abc import Iterator

import libvirt

from bootstrap.errors import (
    BootstrapError,
    HostError,
    NotFoundError,
    NotOursError,
    TimedOutError,
)

_SYSTEM, _SESSION = "qemu:///system", "qemu:///session"
_NOT_FOUND = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_DOMAIN_METADATA}
_NOT_ALLOWED = {
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
    libvirt.VIR_ERR_ACCESS_DENIED,
    libvirt.VIR_ERR_OPERATION_DENIED,
}
#: Another client works on the domain; libvirt itself has waited half a minute for it.
_BUSY = {libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_ERR_RESOURCE_BUSY}


@contextlib.contextmanager
def translated(action: str, *, hint: str = "") -> Iterator[None]:
    """Turn a libvirt error inside the block into one of ours.

    ``action`` completes the sentence "Could not ...".
    """
    try:
        yield
    except libvirt.libvirtError as error:
        code = error.get_error_code()
        if code in _NOT_ALLOWED:
            raise _not_allowed(action, error) from error
        kind = NotFoundError if code in _NOT_FOUND else BootstrapError
        raise kind(
            f"Could not {action}.", details=f"libvirt: {error}", hint=hint or "bootstrap doctor"
        ) from error


def is_connection_loss(error: libvirt.libvirtError) -> bool:
    """Tell whether libvirt's client lost the daemon, rather than the daemon refused.

    The code alone does not say it: a broken pipe is VIR_ERR_SYSTEM_ERROR and a closed socket
    VIR_ERR_INTERNAL_ERROR, both as the RPC layer reports them.
    """
    is_rpc: bool = error.get_error_domain() == libvirt.VIR_FROM_RPC
    return is_rpc or error.get_error_code() == libvirt.VIR_ERR_RPC


def is_passing(error: libvirt.libvirtError) -> bool:
    """Tell whether the same call may succeed, or say more, in a moment."""
    code = error.get_error_code()
    # libvirt keeps a thread's last error until that thread frees any of libvirt's objects,
    # which Python's collector may do just between a call and asking for its error.
    return code is None or code in _BUSY


def is_busy(error: libvirt.libvirtError) -> bool:
    """Tell whether another client, or the daemon itself, holds the domain."""
    return bool(error.get_error_code() in _BUSY)


def is_absence(error: libvirt.libvirtError) -> bool:
    """Tell whether there is no such domain, or no longer."""
    return bool(error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN)


def unreachable(uri: str, error: libvirt.libvirtError) -> HostError:
    """Say that no daemon answers, with the command that starts it."""
    if error.get_error_code() in _NOT_ALLOWED:
        return _not_allowed(f"reach libvirt at '{uri}'", error)
    return HostError(
        f"Could not reach libvirt at '{uri}'.",
        details=f"libvirt: {error}",
        hint=start_command(uri),
    )


def hung(uri: str, action: str, timeout_s: float) -> TimedOutError:
    """Say that a call did not come back."""
    return TimedOutError(
        f"Could not {action}: libvirt at '{uri}' did not answer within {timeout_s:.0f} s.",
        details="The daemon, or the emulator that it asks, hangs. What was asked may still "
        "happen. Guests go on running while the daemon is started anew.",
        hint=restart_command(uri),
    )


def start_command(uri: str) -> str:
    """Give the command that starts the daemon, or installs the one that libvirt starts."""
    if uri == _SYSTEM:
        return "sudo systemctl start libvirtd || { sudo virtlogd -d; sudo libvirtd -d; }"
    if uri == _SESSION:
        # The client starts this daemon by itself, where it is installed.
        return "sudo apt-get install libvirt-daemon-system libvirt-daemon-driver-qemu"
    return f"virsh --connect {shlex.quote(uri)} list"


def restart_command(uri: str) -> str:
    """Give the command that ends a daemon that does not answer, and starts it where needed."""
    if uri == _SYSTEM:
        # By its number, since every user may have one of that name.
        anew = "{ sudo pkill --signal KILL --pidfile /run/libvirtd.pid; sudo libvirtd -d; }"
        return f"sudo systemctl restart libvirtd || {anew}"
    return "pkill --signal KILL --euid $USER 'libvirtd|virtqemud'"


def not_ours(name: str, details: str) -> NotOursError:
    """Say that a domain exists and was not made by this install of the tool."""
    return NotOursError(
        f"Domain '{name}' exists and is not ours, so it was left alone.",
        details=details,
        hint="Choose another cluster name: bootstrap up another-name",
    )


def _not_allowed(action: str, error: libvirt.libvirtError) -> HostError:
    return HostError(
        f"Could not {action}: libvirt does not allow it to this user.",
        details=f"libvirt: {error}. Who may use '{_SYSTEM}' is as good as root; an ordinary "
        "user has a libvirt of their own, which asks for nothing.",
        hint="bootstrap up --hypervisor qemu:///session",
    )
