"""A pseudo-terminal, and what a user would see on it."""

import fcntl
import os
import re
import select
import struct
import termios
from typing import TextIO

_CODE = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])")


class FakeTerminal:
    """Interprets what is written to it; knows the codes that we use, and refuses others."""

    def __init__(self, *, columns: int = 80, rows: int = 24) -> None:
        self._master, self.slave = os.openpty()
        self.resize(columns, rows)
        #: All that was written, with its codes.
        self.written = ""

    def resize(self, columns: int, rows: int = 24) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)

    def stream(self) -> TextIO:
        """Return the terminal as a program's stderr."""
        return os.fdopen(os.dup(self.slave), "w", encoding="utf-8")

    def modes(self) -> list[object]:
        return list(termios.tcgetattr(self.slave))

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def read(self, timeout_s: float = 0.0) -> str:
        """Take what was written since; empty if nothing comes in time, or nobody can write."""
        new = b""
        while select.select([self._master], [], [], 0.0 if new else timeout_s)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the last process that had it open has ended
                break
            if not data:
                break
            new += data
        self.written += new.decode(errors="replace")
        return new.decode(errors="replace")

    def hang_up(self) -> None:
        """Go, as the window of a terminal is closed."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        os.close(self.slave)
        if self._master >= 0:
            self.hang_up()

    def lines(self) -> list[str]:
        """Return the lines that a user sees, with what has scrolled away, without blank ends."""
        self.read()
        return shown(self.written)


def shown(text: str) -> list[str]:
    """Interpret what was written to a terminal that is wide enough for every line."""
    screen = _Screen()
    while text:
        found = _CODE.match(text)
        if found:
            screen.do(found[2], found[1])
        else:
            screen.put(text[0])
        text = text[found.end() if found else 1 :]
    lines = [line.rstrip() for line in screen.lines]
    return lines[: max((number for number, line in enumerate(lines, 1) if line), default=0)]


class _Screen:
    def __init__(self) -> None:
        self.lines, self.row, self.column = [""], 0, 0

    def do(self, code: str, value: str) -> None:
        match code:
            case "m":
                pass
            case "A":
                self.row -= int(value)
                assert self.row >= 0, "the cursor left the terminal"
            case "J" | "K":
                self.lines[self.row] = self.lines[self.row][: self.column]
                if code == "J":
                    del self.lines[self.row + 1 :]
            case _:
                raise AssertionError(f"unknown code {value}{code}")

    def put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            self.lines += [""] * (self.row == len(self.lines))
        else:
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1
