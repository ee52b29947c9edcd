"""Open the connection to libvirt, and open it again when the daemon went away."""

import libvirt

from bootstrap.errors import HostError

_SYSTEM = "qemu:///system"


class Connection:
    """A connection that outlives the daemon: guests do, so we must."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._open: libvirt.virConnect | None = None
        # libvirt would print every error on stderr by itself. What it calls instead is no
        # Python code, in which a signal's exception would be lost on its way through C.
        libvirt.registerErrorHandler({}.get, None)

    def get(self) -> libvirt.virConnect:
        """Give a living connection.

        :raises HostError: if no daemon answers, with the command that starts it.
        """
        if self._open is None or not self._open.isAlive():
            try:
                self._open = libvirt.open(self.uri)
            except libvirt.libvirtError as error:
                raise HostError(
                    f"Could not reach libvirt at '{self.uri}'.",
                    details=f"libvirt: {error}",
                    hint=_start_command(self.uri),
                ) from error
        return self._open

    def close(self) -> None:
        """Close the connection; guests go on."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _start_command(uri: str) -> str:
    if uri == _SYSTEM:
        return "sudo systemctl start libvirtd || { sudo virtlogd -d; sudo libvirtd -d; }"
    return "bootstrap doctor"
