"""Choose how a run is shown, from what the terminal can do and what the user wants."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from bootstrap.errors import UsageError
from bootstrap.model.events import Display


def chosen_display(
    wanted: Display,
    *,
    is_on_stdout: bool,
    environment: Mapping[str, str] = os.environ,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
) -> Display:
    """Return one of LIVE, PLAIN and NONE; ``is_on_stdout`` says that events go there as lines.

    :raises UsageError: if the live view is asked for where it cannot be.
    """
    is_able = (stderr or sys.stderr).isatty() and environment.get("TERM", "") not in ("", "dumb")
    # Lines on the same terminal would come between those of the view.
    is_alone = not (is_on_stdout and (stdout or sys.stdout).isatty())
    match wanted:
        case Display.LIVE if not (is_able and is_alone):
            raise UsageError(
                "A live view needs stderr to be a terminal that can move its cursor, for itself.",
                details=f"TERM is '{environment.get('TERM', '')}'.",
                hint="bootstrap up --progress plain",
            )
        case Display.AUTO:
            # A CI job's log keeps each frame, even where the job has a terminal.
            is_live = is_able and is_alone and not environment.get("CI")
            return Display.LIVE if is_live else Display.PLAIN
        case _:
            return wanted
