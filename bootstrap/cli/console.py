"""Tell on stderr what happens: one line a step, with its time."""

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.text import Text

from bootstrap.adapters.terminal import without_control_codes
from bootstrap.errors import BootstrapError


class _Stream(Console):
    """A console whose reader may go away, which ends the command as on stdout (R-12)."""

    def on_broken_pipe(self) -> None:
        """Leave it to the boundary of all commands; rich itself would exit with 1."""
        raise BrokenPipeError


class StepProgress:
    """Implements :class:`bootstrap.ports.Progress` for a terminal and for a pipe."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._console = _Stream(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._quiet = quiet
        self._began = time.monotonic()
        self._step: tuple[str, float] | None = None
        self._nodes: dict[str, str] = {}
        #: Seconds of each finished step, for `--timings`.
        self.timings: dict[str, float] = {}

    def step(self, title: str) -> None:
        """See the port."""
        self.finish()
        self._step = (title, time.monotonic())
        self._say(f"{title} ...", style="bold")

    def finish(self) -> None:
        """Close the step that runs."""
        if self._step is not None:
            title, began = self._step
            self.timings[title] = time.monotonic() - began
            self._step = None

    def node(self, name: str, status: str) -> None:
        """See the port."""
        if self._nodes.get(name) != status:
            self._nodes[name] = status
            self._say(f"  {name}: {status}")

    def note(self, text: str) -> None:
        """See the port."""
        self._say(f"  {text}")

    def _say(self, text: str, *, style: str = "") -> None:
        if self._quiet:
            return
        elapsed = f"{time.monotonic() - self._began:6.0f} s  "
        self._console.print(Text(elapsed, style="dim") + Text(_one_line(text), style=style))


def _one_line(text: str) -> str:
    """Give a line that a guest may have had a hand in (SEC-15)."""
    return " ".join(without_control_codes(text).splitlines())


def show_error(error: BootstrapError) -> None:
    """Draw an error in its three parts on stderr."""
    console = _Stream(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text("error: ", style="bold red") + Text(_one_line(error.message)))
    # An error may quote what a guest has printed (SEC-15).
    for line in without_control_codes(error.details).splitlines():
        console.print(Text(f"  {line}"))
    if error.hint:
        console.print(Text("hint: ", style="bold") + Text(without_control_codes(error.hint)))
