r"""Replay the events of a run into the live view: on this terminal, or as a picture.

Run it from the root of the repository; events come from `--events FILE` or from the runs of a
cluster (docs/reference/events.md). `up.ndjson` is such a run on a host without KVM, without its
commands, and `up.svg` its picture:

    PYTHONPATH=. python docs/pictures/record.py show docs/pictures/up.ndjson --speed 20
    PYTHONPATH=. python docs/pictures/record.py draw docs/pictures/up.ndjson \
        docs/pictures/up.svg --at 232
"""

import argparse
import io
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from bootstrap.adapters.events.course import Course
from bootstrap.adapters.events.durations import Durations
from bootstrap.adapters.events.live.board import Board
from bootstrap.adapters.events.live.drawing import Drawing
from bootstrap.adapters.events.live.view import LiveView, staying_line
from bootstrap.model.events import Event, Progress, Status, Step, Unit

_HEIGHT = 40
#: What a log whose events have no start is taken for.
_COMMAND = "bootstrap up"


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    show = commands.add_parser("show", help="replay the run on this terminal")
    show.add_argument("events", type=Path)
    show.add_argument("--speed", type=float, default=20.0, help="how many times faster")
    show.set_defaults(action=_show)
    draw = commands.add_parser("draw", help="draw a moment of the run as SVG")
    draw.add_argument("events", type=Path)
    draw.add_argument("picture", type=Path)
    draw.add_argument("--at", type=float, required=True, help="the moment, in seconds")
    draw.add_argument("--width", type=int, default=100)
    draw.set_defaults(action=_draw)
    chosen = parser.parse_args()
    lines = chosen.events.read_text().splitlines()
    chosen.action(_whole([_event(json.loads(line)) for line in lines]), chosen)


def _whole(events: Sequence[Event]) -> Sequence[Event]:
    """Give the events of a cluster's own log, which has no start and no end, both."""
    first, last = events[0], events[-1]
    if first.step is None:
        return events
    command = replace(first, step=None, detail=_COMMAND, elapsed_s=0)
    end = replace(command, status=Status.FINISHED, elapsed_s=last.elapsed_s)
    return [command, *events, end]


def _event(data: dict[str, object]) -> Event:
    """Read an event as docs/reference/events.md describes it."""
    step, node, phase, progress = (data.get(key) for key in ("step", "node", "phase", "progress"))
    return Event(
        run=str(data["run"]),
        time=datetime.fromisoformat(str(data["time"])),
        elapsed_s=float(str(data["elapsedSeconds"])),
        step=Step(str(step)) if step else None,
        status=Status(str(data["status"])),
        node=str(node) if node else None,
        detail=str(data["detail"]),
        error=str(data["error"]) if data["error"] else None,
        phase=Step(str(phase)) if phase else None,
        progress=_progress(progress) if isinstance(progress, dict) else None,
    )


def _progress(data: dict[str, str | int | None]) -> Progress:
    done, total, unit = data["done"], data["total"], data["unit"]
    return Progress(
        done=int(done or 0), total=None if total is None else int(total), unit=Unit(str(unit))
    )


def _course(events: Sequence[Event]) -> Course:
    """Return the course of a run on a host that has made the same run before."""
    with tempfile.TemporaryDirectory() as directory:
        durations = Durations(Path(directory) / "durations.json")
        past = Course(durations)
        for event in events:
            past.read(event)
        course = Course(durations)
        course.learn()
    return course


def _show(events: Sequence[Event], chosen: argparse.Namespace) -> None:
    """Replay the run on stderr, with its pauses made shorter."""
    course, began = _course(events), time.monotonic()
    view = LiveView(course, clock=lambda: (time.monotonic() - began) * chosen.speed)
    with view.shown() as reader:
        for event in events:
            due = event.elapsed_s / chosen.speed - (time.monotonic() - began)
            threading.Event().wait(max(0.0, due))
            course.read(event)
            reader.read(event)
    sys.stderr.write("The run has ended.\n")


def _draw(events: Sequence[Event], chosen: argparse.Namespace) -> None:
    """Draw the terminal as it was at a moment of the run."""
    course = _course(events)
    board, drawing = Board(course), Drawing(chosen.width, _HEIGHT)
    lines = [Text.assemble(("$ ", "dim"), events[0].detail, " demo")]
    for event in events:
        if event.elapsed_s > chosen.at:
            break
        course.read(event)
        lines += staying_line(event, board, drawing, show_commands=False)
        board.read(event)
    lines += drawing.lines(board, chosen.at)
    console = Console(record=True, width=chosen.width, file=io.StringIO(), force_terminal=True)
    for line in lines:
        console.print(line, highlight=False)
    # The font of the format is one that a reader would have to fetch.
    form = re.sub(
        r"@font-face \{\{.*?\}\}|Fira Code, |<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL
    )
    picture = console.export_svg(title=events[0].detail, theme=MONOKAI, code_format=form)
    lines_of_picture = (line.rstrip() for line in picture.splitlines())
    chosen.picture.write_text("\n".join(lines_of_picture) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
