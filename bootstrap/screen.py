"""Redraw the last lines of a terminal, and leave it in order at any moment.

Nothing of the terminal is changed: the cursor stays visible, and there is no mode to restore. A
process that is killed leaves whole lines behind it.
"""

import contextlib
import os
import re
import threading
from collections.abc import Sequence

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_UP, _CLEAR_BELOW, _CLEAR_LINE = "\x1b[{}A", "\x1b[J", "\x1b[K"
_DEFAULT_WIDTH, _DEFAULT_HEIGHT = 80, 24
_PATIENCE_S = 0.5


class Screen:
    """The lines at the bottom of a terminal that are drawn anew; at most one is in use.

    Each method writes once, with one call of the operating system: a fork between two of them
    copies no buffer and no lock of Python's standard streams. Threads may use it together.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # Reentrant: a signal may come while its thread draws, and its handler leaves the screen.
        self._lock = threading.RLock()
        self._drawn: list[str] = []
        self._is_open = False

    def open(self) -> None:
        """Begin; from now on :func:`leave` and :func:`freeze` act on this screen."""
        global _current  # a process has one terminal
        self._is_open, _current = True, self

    @property
    def width(self) -> int:
        """Columns of the terminal now."""
        return self._size().columns or _DEFAULT_WIDTH

    @property
    def height(self) -> int:
        """Rows of the terminal now."""
        return self._size().lines or _DEFAULT_HEIGHT

    def draw(self, lines: Sequence[str], *, above: Sequence[str] = ()) -> None:
        """Replace the lines that were drawn last; those of ``above`` are put before them to stay.

        A line may hold styles, and is no wider than the terminal unless it is one that stays.
        """
        with self._lock:
            if not self._is_open or not self._is_ours():
                return
            kept = list(lines[: self.height - 1])
            rows = [f"{line}{_CLEAR_LINE}\n" for line in (*above, *kept)]
            text = self._to_the_top() + "".join(rows) + _CLEAR_BELOW
            self._drawn = kept
            self._write(text)

    def close(self, *, erase: bool) -> None:
        """End: the lines vanish or stay as they are, and nothing is drawn any more."""
        with self._lock:
            if self._is_open and erase and self._is_ours():
                self._write(self._to_the_top() + _CLEAR_BELOW)
            self._is_open, self._drawn = False, []

    def abandon(self) -> None:
        """End at once, with the lines as they are; a write of another thread may still end."""
        self._is_open = False
        if self._lock.acquire(timeout=_PATIENCE_S):
            self._lock.release()

    def _to_the_top(self) -> str:
        """Move to the first row of what was drawn; a narrower terminal has wrapped its lines."""
        width = self.width
        rows = sum(max(1, -(-_cells(line) // width)) for line in self._drawn)
        return "\r" + (_UP.format(rows) if rows else "")

    def _is_ours(self) -> bool:
        """Tell whether this process is in the foreground; in the background it draws nothing."""
        try:
            is_ours = os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # no controlling terminal, as in a container
            return True
        if not is_ours:
            self._drawn = []
        return is_ours

    def _size(self) -> os.terminal_size:
        try:
            return os.get_terminal_size(self._descriptor)
        except OSError:
            return os.terminal_size((_DEFAULT_WIDTH, _DEFAULT_HEIGHT))

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")
        while data:
            data = data[os.write(self._descriptor, data) :]


_current: Screen | None = None


def leave() -> None:
    """Erase what is drawn, before something else is written; nothing is drawn any more."""
    if _current is not None:
        with contextlib.suppress(OSError):
            _current.close(erase=True)


def freeze() -> None:
    """Leave what is drawn as it is, before something is written below it.

    A signal's handler may call it: it waits for no write to a terminal that takes nothing.
    """
    if _current is not None:
        _current.abandon()


def _cells(line: str) -> int:
    return len(_STYLE.sub("", line))
