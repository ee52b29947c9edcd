"""The options that choose how a run is reported."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bootstrap.errors import UsageError
from bootstrap.model.events import Display

C = TypeVar("C", bound=Callable[..., Any])


@dataclass
class Reporting:
    """What was said before and after the name of the command, together."""

    quiet: bool = False
    progress: str | None = None
    verbose: bool = False
    events_file: Path | None = None


def _reporting(ctx: click.Context) -> Reporting:
    """Return what the command and the group above it share."""
    reporting: Reporting = ctx.meta.setdefault(__name__, Reporting())
    return reporting


def _remember(ctx: click.Context, option: click.Parameter, value: object) -> None:
    if value and option.name:
        setattr(_reporting(ctx), option.name, value)


_QUIET = click.option(
    *("-q", "--quiet"),
    is_flag=True,
    expose_value=False,
    callback=_remember,
    help="Print results and errors only.",
)
_PROGRESS = click.option(
    "--progress",
    type=click.Choice([display.value for display in Display]),
    expose_value=False,
    callback=_remember,
    help="How to show a run: live on a terminal, plain lines elsewhere (auto); none is -q.",
)
_VERBOSE = click.option(
    *("-v", "--verbose"),
    is_flag=True,
    expose_value=False,
    callback=_remember,
    help="Print each command and libvirt call too, ready to copy.",
)
_EVENTS = click.option(
    *("--events", "events_file"),
    type=click.Path(path_type=Path),
    metavar="FILE",
    expose_value=False,
    callback=_remember,
    help="Append events to a file as NDJSON; - for stdout, with the result as the last one.",
)


def verbosity_options(command: C) -> C:
    """Add ``-q``, ``-v`` and ``--progress``, the same before and after a command's name."""
    return _QUIET(_VERBOSE(_PROGRESS(command)))


def chosen_display() -> Display:
    """Return how the run is shown on stderr, as the user chose it.

    :raises UsageError: if the options contradict each other.
    """
    chosen = _reporting(click.get_current_context())
    display = Display(chosen.progress or (Display.NONE if chosen.quiet else Display.AUTO))
    if chosen.quiet and display is not Display.NONE:
        raise UsageError(
            f"Options -q and --progress {display} contradict each other.",
            hint="bootstrap up --progress plain",
        )
    if display is Display.NONE and chosen.verbose:
        raise UsageError("Options -q and -v contradict each other.", hint="bootstrap up --verbose")
    return display


def reporting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command that makes progress, and call it with ``events``.

    :raises UsageError: if the options contradict each other, or the file cannot be opened.
    """

    @click.pass_context
    @functools.wraps(command)
    def with_events(ctx: click.Context, /, **values: object) -> None:
        from bootstrap.cli.context import composition  # noqa: PLC0415 - not for --help

        chosen = _reporting(ctx)
        with composition().open_terminal_events(
            ctx.command_path,
            display=chosen_display(),
            verbose=chosen.verbose,
            file=chosen.events_file,
        ) as events:
            command(events=events, **values)

    return _EVENTS(verbosity_options(with_events))
