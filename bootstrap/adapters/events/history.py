"""Read the logs of runs again."""

import json
import math
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.adapters.events.places import RUNS, SUFFIX
from bootstrap.adapters.marker import is_ours
from bootstrap.errors import StateError
from bootstrap.model.events import Event, Status, Step
from bootstrap.model.names import ClusterName
from bootstrap.terminal import one_line


class LoggedRuns:
    """Implements :class:`bootstrap.ports.RunHistory` under the user's state directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def runs(self, cluster: ClusterName) -> Sequence[str]:
        """See the port."""
        directory = self._root / str(cluster)
        if not is_ours(directory):
            return []
        return sorted(path.stem for path in (directory / RUNS).glob(f"*{SUFFIX}"))

    def events(self, cluster: ClusterName, run: str) -> Sequence[Event]:
        """See the port."""
        path = self._root / str(cluster) / RUNS / f"{run}{SUFFIX}"
        try:
            with path.open("rb") as file:
                events = [event_of(line) for line in file]
        except OSError as error:
            raise StateError(
                f"Could not read the log of run '{run}'.",
                details=f"{error}\nIt was kept.",
                hint=f"ls -ld {shlex.quote(str(path))}",
            ) from error
        return [event for event in events if event is not None and event.run == run]


def event_of(line: bytes) -> Event | None:
    """Read a line; None if it is no event, such as one that a full disk has cut off."""
    try:
        return _of_data(json.loads(line))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _of_data(data: dict[str, object]) -> Event:
    """Make an event of a line's object.

    :raises ValueError: if it is none; or KeyError, TypeError or OverflowError.
    """
    step, node, error = data["step"], data["node"], data["error"]
    return Event(
        run=_text(data["run"]),
        time=datetime.fromisoformat(_text(data["time"])).astimezone(UTC),
        elapsed_s=_seconds(data["elapsedSeconds"]),
        step=None if step is None else Step(_text(step)),
        status=Status(_text(data["status"])),
        node=None if node is None else _text(node),
        detail=_text(data["detail"]),
        error=None if error is None else _text(error),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return one_line(value)


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError
    return float(value)
