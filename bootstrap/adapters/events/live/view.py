"""Show a run on a terminal while it happens."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from bootstrap.adapters.events.course import Course
from bootstrap.adapters.events.live.board import Board
from bootstrap.adapters.events.live.drawing import ASCII, UNICODE, Drawing
from bootstrap.model.events import Event, Status
from bootstrap.screen import Screen

_INTERVAL_S = 0.25
#: Drawing for each of many events in a row would cost more than what they report.
_SHORTEST_S = 0.05


class LiveView:
    """Draws the state of a run below lines that stay: steps that have ended, notes, commands.

    A thread draws anew while nothing happens, so that clocks go on. It may do so beside forks:
    it writes by :class:`Screen` alone, and a child runs another program without using either.
    """

    def __init__(
        self,
        course: Course,
        *,
        stream: TextIO | None = None,
        show_commands: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        stream = stream or sys.stderr
        self._console = Console(file=stream, highlight=False, force_terminal=True, soft_wrap=True)
        self._screen = Screen(stream.fileno())
        is_unicode = (stream.encoding or "").lower().replace("-", "") == "utf8"
        self._symbols = UNICODE if is_unicode else ASCII
        self._show_commands = show_commands
        self._clock = clock
        self._board = Board(course)
        self._lock = threading.RLock()
        self._staying: list[Text] = []
        self._began_s = self._drawn_s = clock()

    @contextlib.contextmanager
    def shown(self) -> Iterator["LiveView"]:
        """Show the view inside the block."""
        is_over = threading.Event()
        thread = threading.Thread(target=self._tick, args=(is_over,), name="view", daemon=True)
        self._screen.open()
        thread.start()
        try:
            yield self
        finally:
            is_over.set()
            self._screen.close(erase=False)

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        with self._lock:
            self._began_s = self._clock() - event.elapsed_s
            self._staying += staying_line(
                event, self._board, self._drawing(), show_commands=self._show_commands
            )
            self._board.read(event)
            if event.step is None and event.status in (Status.FINISHED, Status.FAILED):
                self._end(event.elapsed_s)
            elif self._staying or self._clock() - self._drawn_s >= _SHORTEST_S:
                self._draw()

    def _draw(self) -> None:
        self._drawn_s = self._clock()
        lines = self._drawing().lines(self._board, self._drawn_s - self._began_s)
        self._put(lines)

    def _end(self, elapsed_s: float) -> None:
        """Keep what explains a failure; of a signal's end, what was there when it came."""
        if self._board.is_interrupted:
            return
        failed = self._board.has_failed
        self._put(self._drawing().remains(self._board, elapsed_s) if failed else [])
        self._screen.close(erase=False)

    def _put(self, lines: Sequence[Text]) -> None:
        above, self._staying = self._staying, []
        # A terminal that has gone ends the run by its own signal.
        with contextlib.suppress(OSError):
            self._screen.draw(self._styled(lines), above=self._styled(above))

    def _styled(self, lines: Sequence[Text]) -> list[str]:
        with self._console.capture() as captured:
            for line in lines:
                self._console.print(line)
        return captured.get().split("\n")[:-1]

    def _drawing(self) -> Drawing:
        return Drawing(self._screen.width, self._screen.height, self._symbols)

    def _tick(self, is_over: threading.Event) -> None:
        # A signal that this thread took would not wake the main one, which acts on it.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not is_over.wait(_INTERVAL_S):
            with self._lock:
                self._draw()


def staying_line(
    event: Event, board: Board, drawing: Drawing, *, show_commands: bool
) -> Sequence[Text]:
    """Return the line that an event leaves above the view, if any; the board lacks it yet."""
    match event.status:
        case Status.FINISHED | Status.FAILED if event.step is not None:
            is_failed = event.status is Status.FAILED
            rows = [row for row in board.steps if row.step is event.step][-1:]
            return [
                drawing.ended(row.title, event.elapsed_s - row.began_s, is_failed=is_failed)
                for row in rows
            ]
        case Status.NOTE:
            return [Text(f"  {event.detail}")]
        case Status.COMMAND if show_commands:
            return [Text(f"  $ {event.detail}", style="dim")]
        case _:
            return []
