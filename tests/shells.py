"""Type into a real interactive shell on a terminal of its own, and read what becomes of a line."""

import contextlib
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 60
_TAB, _LINE_START, _LINE_END = "\t", "\x01", "\x05"
#: Written by the shell itself; what is typed spells it otherwise, so an echo is no answer.
_READY, _SAY_READY = "<ready>", 'printf "<%s>" ready'


@dataclass
class Terminal:
    """A shell that runs on a pseudo-terminal."""

    descriptor: int
    seen: str = ""

    def send(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def read_until(self, *wanted: str) -> str:
        """Read until each text was seen, and return all that was read since the last time."""
        ends = time.monotonic() + _PATIENCE_S
        while not all(text in self.seen for text in wanted):
            left_s = ends - time.monotonic()
            assert left_s > 0, f"no {wanted} in {self.seen!r}"
            if select.select([self.descriptor], [], [], left_s)[0]:
                self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
        seen, self.seen = self.seen, ""
        return seen

    def completed(self, line: str) -> list[str]:
        """Type a line, press Tab, then type ``@``; return the words of the line then."""
        self.send(f"{line}{_TAB}@{_LINE_START}printf '<%s>' {_LINE_END}; printf '<%s>' 'e'nd\n")
        seen = self.read_until("<end>")
        return re.findall("<(.*?)>", seen[seen.rindex("<bootstrap>") :])[1:-1]

    def run(self, command: str) -> None:
        self.send(f"{command}; {_SAY_READY}\n")
        self.read_until(_READY)


@contextlib.contextmanager
def terminal(
    argv: Sequence[str], *, environment: dict[str, str], place: Path
) -> Iterator[Terminal]:
    """Start a shell in a directory; it ends with the block."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 200))
    with subprocess.Popen(
        argv,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=place,
        env=environment,
        start_new_session=True,
    ) as shell:
        os.close(theirs)
        try:
            yield Terminal(ours)
        finally:
            shell.kill()
            os.close(ours)
