"""Read how far apt is from what it prints."""

import re
from collections.abc import Callable

from bootstrap.model.events import Unit

#: Takes a detail, how much is done, of how much, and what is counted, as ``Events.progress`` does.
Report = Callable[[str, int, int | None, Unit], None]

_SIZES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_NEW = re.compile(r"\d+ upgraded, (\d+) newly installed,")
_NEEDED = re.compile(r"Need to get ([\d.,]+) ([kMG]?)B[ /]")
_GOT = re.compile(r"Get:\d+ .* \[([\d.,]+) ([kMG]?)B\]$")
_SET_UP = re.compile(r"Setting up \S+ \(")


class AptOutput:
    """Reports the progress of apt and dpkg; mmdebstrap may call each of them several times."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._got = self._needed = 0
        self._set_up = self._new = 0

    def take(self, line: str) -> None:
        """Take a line of output."""
        if found := _NEW.match(line):
            self._new += int(found[1])
        elif found := _NEEDED.match(line):
            self._got, self._needed = 0, _bytes(found)
        elif self._needed and (found := _GOT.match(line)):
            # Sizes are rounded, so that their sum may be a little more.
            self._got = min(self._got + _bytes(found), self._needed)
            self._report("Fetching Debian packages", self._got, self._needed, Unit.BYTES)
        elif _SET_UP.match(line):
            self._set_up += 1
            total = max(self._new, self._set_up)
            self._report("Setting up Debian packages", self._set_up, total, Unit.PACKAGES)


def _bytes(found: re.Match[str]) -> int:
    return int(float(found[1].replace(",", "")) * _SIZES[found[2]])
