"""Write events as NDJSON: one JSON object on a line, whole even when the process is killed."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bootstrap.errors import BootstrapError, UsageError
from bootstrap.model.events import Event, Status, Step, Unit

_TEXT_OR_NULL = ["string", "null"]
#: The JSON Schema of a line; the reference page shows it.
SCHEMA: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "An event of a run of bootstrap",
    "type": "object",
    "required": ["run", "time", "elapsedSeconds", "step", "status", "node", "detail", "error"],
    "properties": {
        "run": {"type": "string", "description": "Id of the run; ids sort by time."},
        "time": {"type": "string", "format": "date-time", "description": "When, in UTC."},
        "elapsedSeconds": {
            "type": "number",
            "minimum": 0,
            "description": "Seconds since the run began; no change of the clock moves it.",
        },
        "step": {
            "enum": [*Step, None],
            "description": "The step; null between steps and for the run itself.",
        },
        "status": {"enum": [*Status], "description": "What the event says."},
        "node": {
            "type": _TEXT_OR_NULL,
            "description": "The node; null if it concerns no one node.",
        },
        "phase": {
            "enum": [*Step],
            "description": "In which step's work the node is; only where a node works or is done. "
            "Absent between steps.",
        },
        "progress": {
            "type": "object",
            "required": ["done", "total", "unit"],
            "properties": {
                "done": {"type": "integer", "minimum": 0},
                "total": {
                    "type": ["integer", "null"],
                    "minimum": 0,
                    "description": "Null while it is not known.",
                },
                "unit": {"enum": [*Unit]},
            },
            "description": "How much is done; set exactly when the status is progress.",
        },
        "detail": {"type": "string", "description": "One line of text, not to be parsed."},
        "error": {
            "type": _TEXT_OR_NULL,
            "description": "Id of the error; set exactly when the status is failed.",
        },
        "result": {
            "description": "What -o json prints; only at the end of a run that has a result.",
        },
    },
}


def as_line(event: Event) -> bytes:
    """Return the event as one line of ASCII."""
    data: dict[str, object] = {
        "run": event.run,
        "time": f"{event.time:%Y-%m-%dT%H:%M:%S}.{event.time.microsecond // 1000:03d}Z",
        "elapsedSeconds": round(event.elapsed_s, 3),
        "step": event.step,
        "status": event.status,
        "node": event.node,
        "detail": event.detail,
        "error": event.error,
    }
    if event.phase is not None:
        data["phase"] = event.phase
    if event.progress is not None:
        data["progress"] = asdict(event.progress)
    if event.result is not None:
        data["result"] = event.result
    return json.dumps(data).encode() + b"\n"


class Ndjson:
    """Hands each event to ``write`` as a line."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        self._write(as_line(event))


def write_on_stdout(line: bytes) -> None:
    """Write a line on stdout at once."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def write_line(descriptor: int, line: bytes) -> None:
    """Write a line; a regular file takes it whole, a pipe may need more than one call."""
    while line:
        line = line[os.write(descriptor, line) :]


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Return what appends a line to the file at once; a new file is its user's alone.

    :raises UsageError: if it cannot be opened. What it returns raises a BootstrapError if
        a line cannot be written.
    """
    descriptor = _opened(path)
    try:
        yield partial(_append, path, descriptor)
    finally:
        os.close(descriptor)


def _append(path: Path, descriptor: int, line: bytes) -> None:
    try:
        write_line(descriptor, line)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BootstrapError(
            f"Could not write the events to file '{path}'.", details=str(error), hint="df -h"
        ) from error


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            f"Could not open file '{path}' for the events.",
            details=str(error),
            hint="bootstrap up --events -",
        ) from error
