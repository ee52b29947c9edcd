"""Take the whole terminal for a while, and give it back as it was."""

import contextlib
import os
import signal
import termios
from collections.abc import Iterator

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _CLEAR_BELOW, _CLEAR_LINE = "\x1b[H", "\x1b[J", "\x1b[K"
#: Of what `tcgetattr` returns.
_LOCAL_MODES, _CONTROL_CHARACTERS = 3, 6
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_OFF = b"\x00"


class FullScreen:
    """Another page of the terminal, which vanishes at the end."""

    def __init__(self, keys: int, page: int) -> None:
        self._keys, self._page = keys, page

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take the terminal for the block: keys come at once, and are not shown.

        It is given back however the block ends. Ctrl-C stays a signal; Ctrl-Z does nothing.
        """
        before = termios.tcgetattr(self._keys)
        try:
            self._set_modes(before)
            self._write(_ENTER)
            yield
        finally:
            # A further signal waits until the terminal is as it was.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            # A terminal that has gone takes nothing.
            with contextlib.suppress(OSError, termios.error):
                self._write(_LEAVE)
                termios.tcsetattr(self._keys, termios.TCSADRAIN, before)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _set_modes(self, before: "list[int | list[bytes | int]]") -> None:
        modes = list(before)
        local, characters = modes[_LOCAL_MODES], modes[_CONTROL_CHARACTERS]
        assert isinstance(local, int)  # noqa: S101 - the types of termios are loose
        assert isinstance(characters, list)  # noqa: S101
        modes[_LOCAL_MODES] = local & ~(termios.ICANON | termios.ECHO)
        characters = list(characters)
        characters[termios.VSUSP] = _OFF
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        modes[_CONTROL_CHARACTERS] = characters
        termios.tcsetattr(self._keys, termios.TCSADRAIN, modes)

    @property
    def size(self) -> os.terminal_size:
        """Columns and rows now."""
        return os.get_terminal_size(self._page)

    def draw(self, text: str) -> None:
        """Show a page, of which lines that do not fit are left out."""
        lines = text.splitlines()[: self.size.lines]
        self._write(_HOME + f"{_CLEAR_LINE}\r\n".join(lines) + _CLEAR_LINE + _CLEAR_BELOW)

    def key(self) -> str:
        """Return the keys that were pressed; one must have been."""
        return os.read(self._keys, 64).decode(errors="replace")

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")
        while data:
            data = data[os.write(self._page, data) :]
