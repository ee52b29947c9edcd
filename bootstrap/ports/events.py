"""How what happens is reported while it happens."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from bootstrap.model.events import Event, Step, Unit
from bootstrap.model.names import ClusterName


class Events(Protocol):
    """The stream of a run's events.

    Texts become one line each, without what a guest could do to a terminal (SEC-15).
    """

    def step(self, step: Step, detail: str) -> AbstractContextManager[None]:
        """Report that a step starts, and its end when the block ends.

        A block that raises is a failed step, with the error's code; the error passes.
        """

    def node(
        self, name: str, detail: str, *, phase: Step | None = None, is_done: bool = False
    ) -> None:
        """Report what a node does now, unless that is what it did before.

        ``is_done`` says that its work of the phase has ended, and ``detail`` what it is now.
        The phase is the step at which the run is, unless given.
        """

    def waiting(self, detail: str, *, node: str | None = None) -> None:
        """Report what a wait saw last."""

    def progress(self, detail: str, done: int, total: int | None, unit: Unit) -> None:
        """Report how much of a long piece of work is done; at most one a second is published.

        The first and the last one of a piece always are. ``total`` is None while it is unknown.
        """

    def note(self, detail: str) -> None:
        """Report a remark that is worth keeping."""


class EventReader(Protocol):
    """Takes each event as it happens: shows it, writes it, counts it."""

    def read(self, event: Event) -> None:
        """Take one event.

        :raises BrokenPipeError: if the process that read what is written has gone.
        """


class RunEvents(Events, Protocol):
    """The events of a whole run, for the command that reports its result."""

    #: What the run's last event carries as its result.
    result: object

    @property
    def is_on_stdout(self) -> bool:
        """Tell whether a reader writes on stdout, where nothing else may be written then."""

    def attached(self, reader: EventReader) -> AbstractContextManager[None]:
        """Have one more reader inside the block; it gets each event before the others.

        Of a whole run it gets the start first, also if that was before the block, and an end when
        the block ends, which then carries no result.
        """

    def seconds_by_step(self) -> Mapping[str, float]:
        """Return how long each step took that has ended, by its id, to a tenth."""


class RunHistory(Protocol):
    """The runs of clusters that are kept, each with what happened while it had the lock."""

    def runs(self, cluster: ClusterName) -> Sequence[str]:
        """List the ids of the kept runs, the oldest first; none if the cluster was removed."""

    def events(self, cluster: ClusterName, run: str) -> Sequence[Event]:
        """Return the events of a kept run in their order; there may be none.

        What is no event that this version knows is left out.

        :raises StateError: if the run's log cannot be read.
        """
