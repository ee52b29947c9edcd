"""Publish what happens in a run to all readers."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bootstrap.adapters.events.pace import Pace
from bootstrap.adapters.events.seconds import StepSeconds
from bootstrap.errors import BootstrapError
from bootstrap.model.events import INTERNAL, INTERRUPTED, Event, Progress, Status, Step, Unit
from bootstrap.ports import EventReader
from bootstrap.terminal import one_line

_PROGRESS_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where an event's times come from."""

    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic


def new_run_id() -> str:
    """Return an id for a run; ids sort by the time they were made."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class EventStream:
    """Implements :class:`bootstrap.ports.RunEvents`; see there for the promises."""

    def __init__(
        self,
        *readers: EventReader,
        run: str = "",
        clock: Clock | None = None,
        is_on_stdout: bool = False,
    ) -> None:
        self._run = run or new_run_id()
        self._seconds = StepSeconds()
        self._readers: list[EventReader] = [self._seconds, *readers]
        self._is_on_stdout = is_on_stdout
        self._clock = clock or Clock()
        self._began = self._clock.monotonic()
        self._step: Step | None = None
        self._nodes: dict[str, str] = {}
        self._command = ""
        self._pace = Pace(_PROGRESS_INTERVAL_S)
        self._opening: Event | None = None
        self.result: object = None

    @property
    def is_on_stdout(self) -> bool:
        """See the port."""
        return self._is_on_stdout

    def seconds_by_step(self) -> Mapping[str, float]:
        """See the port."""
        return self._seconds.by_step()

    @contextlib.contextmanager
    def attached(self, reader: EventReader) -> Iterator[None]:
        """See the port."""
        if self._opening is not None:
            reader.read(self._opening)
        self._readers.insert(0, reader)
        try:
            yield
            self._close(reader)
        except BaseException as error:
            # As with a step: what the reader says now must not hide why the block failed.
            with contextlib.suppress(OSError, BootstrapError):
                self._close(reader, error)
            raise
        finally:
            self._readers.remove(reader)

    def _close(self, reader: EventReader, error: BaseException | None = None) -> None:
        """Give a reader that leaves before the end of the run an end of its own."""
        if self._opening is None:
            return
        if error is None:
            reader.read(self._event(Status.FINISHED, self._opening.detail))
        else:
            reader.read(self._event(Status.FAILED, _reason(error), error=_error_id(error)))

    @contextlib.contextmanager
    def whole_run(self, detail: str) -> Iterator[None]:
        """Report the start of the run, and its end with its result when the block ends."""
        with self._reported(None, detail):
            yield

    @contextlib.contextmanager
    def step(self, step: Step, detail: str) -> Iterator[None]:
        """See the port."""
        with self._reported(step, detail):
            yield

    def node(
        self, name: str, detail: str, *, phase: Step | None = None, is_done: bool = False
    ) -> None:
        """See the port."""
        if self._nodes.get(name) != detail:
            self._nodes[name] = detail
            status = Status.DONE if is_done else Status.RUNNING
            self._publish(self._event(status, detail, node=name, phase=phase or self._step))

    def waiting(self, detail: str, *, node: str | None = None) -> None:
        """See the port."""
        self._publish(self._event(Status.WAITING, detail, node=node))

    def progress(self, detail: str, done: int, total: int | None, unit: Unit) -> None:
        """See the port."""
        if self._pace.allows(detail, self._clock.monotonic(), is_last=done == total):
            amount = Progress(done=done, total=total, unit=unit)
            self._publish(self._event(Status.PROGRESS, detail, progress=amount))

    def note(self, detail: str) -> None:
        """See the port."""
        self._publish(self._event(Status.NOTE, detail))

    def command(self, text: str) -> None:
        """Report a command, unless it is the one before again, as in a wait."""
        if text != self._command:
            self._command = text
            self._publish(self._event(Status.COMMAND, text))

    @contextlib.contextmanager
    def _reported(self, step: Step | None, detail: str) -> Iterator[None]:
        outer, self._step = self._step, step
        try:
            self._publish(self._event(Status.STARTED, detail))
            yield
            self._publish(self._event(Status.FINISHED, detail))
        except BaseException as error:
            # A reader that fails now must not hide why the step failed.
            with contextlib.suppress(OSError, BootstrapError):
                self._publish(self._event(Status.FAILED, _reason(error), error=_error_id(error)))
            raise
        finally:
            self._step = outer

    def _publish(self, event: Event) -> None:
        if event.step is None and event.status in (Status.FINISHED, Status.FAILED):
            event = replace(event, result=self.result)
        if event.step is None and event.status is Status.STARTED:
            self._opening = event
        for reader in self._readers:
            reader.read(event)

    def _event(  # noqa: PLR0913 - what an event may carry
        self,
        status: Status,
        detail: str,
        *,
        node: str | None = None,
        error: str | None = None,
        phase: Step | None = None,
        progress: Progress | None = None,
    ) -> Event:
        return Event(
            run=self._run,
            time=self._clock.utc(),
            elapsed_s=self._clock.monotonic() - self._began,
            step=self._step,
            status=status,
            node=node,
            detail=one_line(detail),
            error=error,
            phase=phase,
            progress=progress,
        )


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, Exception) else INTERRUPTED


def _error_id(error: BaseException) -> str:
    match error:
        case BootstrapError():
            return error.code
        case OSError():
            # The boundary of all commands makes it an error of a step.
            return BootstrapError.code
        case Exception():
            return INTERNAL
        case _:
            return INTERRUPTED
