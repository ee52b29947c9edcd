"""The options that choose how a run is reported: ``-q``, ``-v`` and ``--events``."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bootstrap.errors import UsageError

C = TypeVar("C", bound=Callable[..., Any])


@dataclass
class Reporting:
    """What was said before and after the name of the command, together."""

    quiet: bool = False
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
    """Add ``-q`` and ``-v``, which mean the same before and after a command's name."""
    return _QUIET(_VERBOSE(command))


def reporting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command that makes progress, and call it with ``events``.

    :raises UsageError: if the options contradict each other, or the file cannot be opened.
    """

    @click.pass_context
    @functools.wraps(command)
    def with_events(ctx: click.Context, /, **values: object) -> None:
        from bootstrap.cli.context import composition  # noqa: PLC0415 - not for --help

        chosen = _reporting(ctx)
        if chosen.quiet and chosen.verbose:
            raise UsageError(
                "Options -q and -v contradict each other.", hint="bootstrap up --verbose"
            )
        with composition().open_events(
            ctx.command_path,
            quiet=chosen.quiet,
            verbose=chosen.verbose,
            file=chosen.events_file,
        ) as events:
            command(events=events, **values)

    return _EVENTS(verbosity_options(with_events))
