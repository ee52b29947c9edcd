"""Show events on a terminal or a pipe: one line each, with the time since the run began."""

from typing import TextIO

from rich.text import Text

from bootstrap.console import StreamConsole
from bootstrap.model.events import Event, Status


class Lines:
    """Writes a line for each event that is worth a user's time; for commands only if asked."""

    def __init__(self, stream: TextIO | None = None, *, show_commands: bool = False) -> None:
        self._console = StreamConsole(stream)
        self._show_commands = show_commands

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        match event.status:
            case Status.STARTED if event.step is not None:
                self._write(event, f"{event.detail} ...", style="bold")
            case Status.RUNNING | Status.WAITING if event.node is not None:
                self._write(event, f"  {event.node}: {event.detail}")
            case Status.WAITING | Status.NOTE:
                self._write(event, f"  {event.detail}")
            case Status.COMMAND if self._show_commands:
                self._write(event, f"  $ {event.detail}", style="dim")
            case _:
                # The next step's start and the command's own result say it.
                pass

    def _write(self, event: Event, text: str, *, style: str = "") -> None:
        elapsed = Text(f"{event.elapsed_s:6.0f} s  ", style="dim")
        self._console.print(elapsed + Text(text, style=style))
