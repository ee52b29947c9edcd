"""Remember how long the steps of runs took on this host, for the estimates of later runs."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.errors import BootstrapError

#: Runs of one command that are kept; hosts and clusters change.
_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run that ended well."""

    #: Such as ``bootstrap up``.
    command: str
    #: How its nodes were found, sorted: none for a cluster that it made.
    found: tuple[str, ...]
    nodes: int
    #: By the id of the step, in the order in which steps ended.
    seconds: Mapping[str, float]


class Durations:
    """The runs in one file, the oldest first. It is no loss if that cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self) -> Sequence[PastRun]:
        """Return the known runs; none if the file is missing or damaged."""
        try:
            return [_past_run(entry) for entry in json.loads(self._path.read_bytes())]
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return []

    def add(self, run: PastRun) -> None:
        """Keep one more run, and the newest ones of each command beside it."""
        known = self.runs()
        others = [one for one in known if one.command != run.command]
        same = [one for one in known if one.command == run.command]
        kept = [*others, *same[-(_KEPT - 1) :], run]
        text = json.dumps(list(map(asdict, kept)), indent=1)
        with contextlib.suppress(OSError, BootstrapError):
            private_directory(self._path.parent)
            write_atomically(self._path, text + "\n")


def _past_run(entry: Mapping[str, Any]) -> PastRun:
    return PastRun(
        command=str(entry["command"]),
        found=tuple(map(str, entry["found"])),
        nodes=int(entry["nodes"]),
        seconds={str(step): float(took) for step, took in entry["seconds"].items()},
    )
