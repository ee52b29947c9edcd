"""The daemon of an ordinary user, which libvirt's client starts by itself."""

import errno
import os
import shutil
from pathlib import Path

import libvirt

_URI = "qemu:///session"
#: What a socket's address has room for: unix(7).
_LONGEST_SOCKET = 107
#: What libvirt takes of a domain's name for its directory.
_SHORT_NAME = 20
_NOT_LISTENING = {errno.ENOENT, errno.ECONNREFUSED}
#: Debian keeps daemons out of an ordinary user's PATH; libvirt's client looks here itself.
_DAEMON_PATH = "/usr/sbin:/usr/local/sbin"


def is_starting(uri: str, error: BaseException | None) -> bool:
    """Tell whether a daemon was started and only does not listen yet.

    The client gives it 5 s (measured with libvirt 9.0), which a busy host may not make.
    """
    is_silent = (
        isinstance(error, libvirt.libvirtError)
        and error.get_error_domain() == libvirt.VIR_FROM_RPC
        and error.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR
        and error.get_int1() in _NOT_LISTENING
    )
    return uri == _URI and is_silent and _is_installed()


def socket_excess(domain: str, configuration: Path | None = None) -> int:
    """Tell how many bytes too deep the user's configuration is for a domain's monitor (P-16).

    libvirt has its sockets below that directory, and no setting for another.
    """
    if configuration is None:
        configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    directory = f"domain-99-{domain[:_SHORT_NAME]}"  # the number counts a daemon's starts
    return path_excess(configuration / "libvirt/qemu/lib" / directory / "monitor.sock")


def path_excess(socket: Path) -> int:
    """Return how many bytes a path is too long for a socket."""
    return max(0, len(os.fsencode(socket)) - _LONGEST_SOCKET)


def _is_installed() -> bool:
    path = f"{os.environ.get('PATH', os.defpath)}:{_DAEMON_PATH}"
    # libvirt's own variable for another directory, the only one then.
    path = os.environ.get("LIBVIRTD_PATH") or path
    return any(shutil.which(name, path=path) for name in ("libvirtd", "virtqemud"))
