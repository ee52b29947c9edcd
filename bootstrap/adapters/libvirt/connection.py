"""Ask libvirt with a deadline, and ask again when the daemon went away in between."""

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import libvirt

from bootstrap.adapters.events.commands import log_command
from bootstrap.adapters.libvirt.deadlines import GENEROUS, Deadlines
from bootstrap.adapters.libvirt.errors import (
    hung,
    is_connection_loss,
    is_passing,
    restart_command,
    translated,
    unreachable,
)
from bootstrap.adapters.libvirt.session import is_starting
from bootstrap.adapters.libvirt.thread import ConnectionThread, HungError, Work
from bootstrap.errors import HostError, TimedOutError
from bootstrap.waiting import NotYet, wait_for

T = TypeVar("T")

#: Work that loses its connection each time may be what kills the daemon.
_ATTEMPTS = 4


class Connection:
    """A connection that outlives the daemon: guests do, so we must."""

    def __init__(
        self,
        uri: str,
        *,
        note: Callable[[str], None] = lambda _text: None,
        connect: Callable[[str], libvirt.virConnect] = libvirt.open,
        deadlines: Deadlines = GENEROUS,
    ) -> None:
        """``note`` gets a line for each reconnection."""
        self.uri = uri
        self._note = note
        self._connect = partial(connect, uri)
        self.deadlines = deadlines
        self._thread: ConnectionThread | None = None
        self._is_lost = False
        self._has_hung = False
        # libvirt would print every error on stderr by itself. What it calls instead is no
        # Python code, in which a signal's exception would be lost on its way through C.
        libvirt.registerErrorHandler({}.get, None)

    def run(
        self,
        action: str,
        work: Work[T],
        *,
        changes: bool = False,
        hint: str = "",
        virsh: Sequence[str] = (),
    ) -> T:
        """Do ``work`` with a living connection; ``action`` completes "Could not ...".

        ``virsh`` are the words for virsh that do or show the same, for the log of commands.

        Work is repeated if its connection is lost, whether it had its effect or not, so it
        must bear that and look up its own domains: they belong to the connection.

        :raises HostError: if no daemon answers, or it refuses this user.
        :raises TimedOutError: if the work hangs, or a lost daemon does not come back.
        :raises BootstrapError: if libvirt refuses.
        """
        if virsh:
            log_command(["virsh", "-c", self.uri, *virsh])
        timeout_s = self.deadlines.changing_s if changes else self.deadlines.reading_s
        with translated(action, hint=hint):
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._ask(self._living(), action, work, timeout_s)
                except libvirt.libvirtError as error:
                    self._is_lost = is_connection_loss(error)
                    if not self._is_lost and not is_passing(error):
                        raise
            return self._ask(self._living(), action, work, timeout_s)

    def close(self) -> None:
        """Close the connection; guests go on."""
        if self._thread is not None:
            self._thread.end(timeout_s=self.deadlines.hurrying_s)
            self._thread = None

    def _living(self) -> ConnectionThread:
        if self._thread is None:
            self._thread = self._opened_patiently()
        elif self._is_lost or not self._ask(
            self._thread, "ask whether the connection lives", _is_alive, self.deadlines.reading_s
        ):
            # If the daemon does not come back, the next caller must not wait as long again.
            self._thread.end(timeout_s=0)
            self._thread, self._is_lost = None, False
            self._thread = wait_for(
                f"libvirt at '{self.uri}' to answer again",
                self._reopened,
                timeout_s=self.deadlines.restarting_s,
                interval_s=0.5,
                hint=restart_command(self.uri),
            )
            self._note("libvirt connection lost, reconnected")
        return self._thread

    def _opened_patiently(self) -> ConnectionThread:
        try:
            return self._opened()
        except HostError as error:
            if not is_starting(self.uri, error.__cause__):
                raise
            with contextlib.suppress(TimedOutError):
                return wait_for(
                    f"libvirt at '{self.uri}' to start",
                    self._reopened,
                    timeout_s=self.deadlines.starting_s,
                    interval_s=0.5,
                )
            raise

    def _reopened(self) -> ConnectionThread:
        try:
            return self._opened()
        except HostError as error:
            raise NotYet(error.details) from error

    def _opened(self) -> ConnectionThread:
        limits = self.deadlines
        thread = ConnectionThread(self._connect)
        try:
            self._ask(
                thread,
                "connect",
                lambda _: None,
                limits.hurrying_s if self._has_hung else limits.connecting_s,
            )
        except libvirt.libvirtError as error:
            thread.end(timeout_s=0)
            raise unreachable(self.uri, error) from error
        self._has_hung = False
        return thread

    def _ask(self, thread: ConnectionThread, action: str, work: Work[T], timeout_s: float) -> T:
        try:
            return thread.run(work, timeout_s=timeout_s)
        except HungError as error:
            self._thread, self._has_hung = None, True
            raise hung(self.uri, action, timeout_s) from error
        except (KeyboardInterrupt, SystemExit):
            # The call may still run: whatever comes now needs another thread.
            self._thread, self._has_hung = None, True
            raise


def _is_alive(connection: libvirt.virConnect) -> bool:
    return bool(connection.isAlive())
