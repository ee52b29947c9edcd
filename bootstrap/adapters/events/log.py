"""Keep a cluster's own log of runs in its state directory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bootstrap.adapters.events.ndjson import as_line, write_line
from bootstrap.adapters.events.places import RUNS, SUFFIX
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.marker import MARKER, is_ours
from bootstrap.adapters.process import private
from bootstrap.errors import BootstrapError
from bootstrap.model.events import Event

_KEPT_RUNS = 20


class RunLog:
    """Writes ``runs/RUN.ndjson`` as soon as the directory carries our mark.

    Earlier events are kept in memory. The log never makes the cluster's directory, nor makes
    it again after ``down`` has removed it. A log that cannot be written stops no run.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._waiting: list[bytes] = []
        self._descriptor: int | None = None
        self._is_lost = False

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        if self._is_lost:
            return
        self._waiting.append(as_line(event))
        if self._descriptor is None and not self._has_mark():
            return
        try:
            self._write(event.run)
        except (OSError, BootstrapError):
            self._is_lost = True

    def _has_mark(self) -> bool:
        # A directory that is empty is ours too, but not yet the cluster's.
        return (self._state / MARKER).is_file() and is_ours(self._state)

    def _write(self, run: str) -> None:
        if self._descriptor is None:
            runs = private_directory(self._state / RUNS)
            _prune(runs)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._descriptor = private(str(runs / f"{run}{SUFFIX}"), flags)
        while self._waiting:
            # Out of the list first: a line that a signal interrupts is written once or not.
            write_line(self._descriptor, self._waiting.pop(0))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor, self._is_lost = None, True


@contextlib.contextmanager
def run_log(state: Path) -> Iterator[RunLog]:
    """Return the log of a run on the cluster whose state directory this is."""
    log = RunLog(state)
    try:
        yield log
    finally:
        log.close()


def _prune(runs: Path) -> None:
    """Remove the oldest logs, so that with the new one as many are left as are kept."""
    for old in sorted(runs.glob(f"*{SUFFIX}"))[: -(_KEPT_RUNS - 1)]:
        old.unlink(missing_ok=True)
