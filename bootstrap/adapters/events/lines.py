"""Show events on a terminal or a pipe: one line each, with the time since the run began."""

from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from bootstrap.adapters.events.amounts import amount
from bootstrap.adapters.events.pace import Pace
from bootstrap.model.events import Event, Status

if TYPE_CHECKING:
    from bootstrap.console import StreamConsole

_PROGRESS_INTERVAL_S = 10.0


class Lines:
    """Writes a line for each event that is worth a user's time; for commands only if asked."""

    def __init__(self, stream: TextIO | None = None, *, show_commands: bool = False) -> None:
        self._stream = stream
        self._show_commands = show_commands
        self._pace = Pace(_PROGRESS_INTERVAL_S)

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        match event.status:
            case Status.STARTED if event.step is not None:
                self._write(event, f"{event.detail} ...", style="bold")
            case Status.RUNNING | Status.DONE if event.phase is None:
                pass  # how a node was found, which what is done with it says
            case Status.RUNNING | Status.DONE | Status.WAITING if event.node is not None:
                self._write(event, f"  {event.node}: {event.detail}")
            case Status.WAITING | Status.NOTE:
                self._write(event, f"  {event.detail}")
            case Status.PROGRESS if event.progress is not None:
                is_last = event.progress.done == event.progress.total
                if self._pace.allows(event.detail, event.elapsed_s, is_last=is_last):
                    self._write(event, f"  {event.detail}: {amount(event.progress)}")
            case Status.COMMAND if self._show_commands:
                self._write(event, f"  $ {event.detail}", style="dim")
            case _:
                # The next step's start and the command's own result say it.
                pass

    @cached_property
    def _console(self) -> "StreamConsole":
        from bootstrap.console import StreamConsole  # noqa: PLC0415 - many commands report nothing

        return StreamConsole(self._stream)

    def _write(self, event: Event, text: str, *, style: str = "") -> None:
        from rich.text import Text  # noqa: PLC0415 - likewise

        elapsed = Text(f"{event.elapsed_s:6.0f} s  ", style="dim")
        self._console.print(elapsed + Text(text, style=style))
