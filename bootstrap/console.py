"""Draw on stderr: rich, with the end of the reader handled as on stdout."""

import sys
from typing import TextIO

from rich.console import Console
from rich.text import Text

from bootstrap import screen
from bootstrap.errors import BootstrapError
from bootstrap.terminal import one_line, without_control_codes


class StreamConsole(Console):
    """A console whose reader may go away, which ends the command as on stdout (R-12)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(file=stream or sys.stderr, highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Leave it to the boundary of all commands; rich itself would exit with 1."""
        raise BrokenPipeError


def show_error(error: BootstrapError) -> None:
    """Draw an error in its three parts on stderr."""
    screen.freeze()
    console = StreamConsole()
    console.print(Text("error: ", style="bold red") + Text(one_line(error.message)))
    # An error may quote what a guest has printed (SEC-15).
    for line in without_control_codes(error.details).splitlines():
        console.print(Text(f"  {line}"))
    if error.hint:
        console.print(Text("hint: ", style="bold") + Text(without_control_codes(error.hint)))
