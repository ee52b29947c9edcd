"""How a call of the API runs: its events, its end by a token, its errors, its connections."""

from __future__ import annotations  # the workflow is imported for type checks only

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bootstrap.cancelling import Cancelled, CancelToken, cancelled_by
from bootstrap.composition import Composition, explained
from bootstrap.errors import BootstrapError, CancelledError
from bootstrap.model.events import Event
from bootstrap.model.names import ClusterName
from bootstrap.ports import EventReader, RunEvents
from bootstrap.terminal import without_control_codes

if TYPE_CHECKING:
    from bootstrap.workflow.environment import Ports, SitePorts


def _real() -> Composition:
    return Composition()


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Where the calls of one caller run, and how they are reported and cancelled.

    Threads may share it. Each call is a run of its own, with its own connections; of two runs on
    one cluster, the second waits ten seconds and then raises ``LockedError``, in the same process
    too. Nothing is printed, and no signal is handled.
    """

    #: libvirt's URI; None stands for where a cluster is, or else for the user's own libvirt.
    hypervisor: str | None = None
    #: Gets each event of each run, one at a time for each run, in the thread that has it.
    on_event: Callable[[Event], None] | None = None
    #: Ends each run at its next wait, once it is cancelled.
    cancel: CancelToken | None = None
    #: For programs that count several calls as one run: the events of that run.
    events: RunEvents | None = None
    #: What builds the adapters; tests replace it.
    composition: Composition = field(default_factory=_real)

    @contextmanager
    def run(self, command: str) -> Iterator[SitePorts]:
        """Return the ports of the libvirt for a run that is called ``command``."""
        with (
            self._reported(command) as events,
            closing(self.composition.site_ports(events, self.hypervisor)) as ports,
        ):
            yield ports

    @contextmanager
    def run_on(self, cluster: ClusterName, command: str) -> Iterator[Ports]:
        """Return the ports of a cluster for a run that is called ``command``."""
        with (
            self._reported(command) as events,
            closing(self.composition.cluster_ports(cluster, events, self.hypervisor)) as ports,
        ):
            yield ports

    @contextmanager
    def _reported(self, command: str) -> Iterator[RunEvents]:
        with _own_errors(), cancelled_by(self.cancel):
            if self.events is not None:
                yield self.events
                return
            readers: list[EventReader] = [_Caller(self.on_event)] if self.on_event else []
            with self.composition.open_events(command, *readers) as events:
                yield events


class _Caller:
    """Hands events to the caller's function, one at a time."""

    def __init__(self, take: Callable[[Event], None]) -> None:
        self._take, self._lock = take, threading.Lock()

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        with self._lock:
            self._take(event)


@contextmanager
def _own_errors() -> Iterator[None]:
    """Have every failure be one of ``bootstrap.errors``, whole in the traceback of a caller."""
    try:
        with explained("finish the command"):
            yield
    except Cancelled:
        raise CancelledError(
            "The run was cancelled.",
            details="What it had made stays, as after a kill.",
            hint="bootstrap list",
        ) from None
    except BootstrapError as error:
        # An exception's own text is its message alone.
        for note in (error.details, error.hint and f"hint: {error.hint}"):
            if note:
                error.add_note(without_control_codes(note))
        raise
