"""The options of commands that take a cluster file; apart, because the table takes time to load."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bootstrap.config.options import OPTIONS

#: What says which cluster is meant, and not what it is.
_PLACE = ("name", "hypervisor")


def spec_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the name, the file and every option that sets a field of the cluster file.

    The command gets them as ``name``, ``hypervisor``, ``file``, and ``options``, which has those
    that were used.
    """

    @functools.wraps(command)
    def with_options(**values: Any) -> None:  # noqa: ANN401 - click's own values
        given = {option.name: values.pop(option.name) for option in OPTIONS}
        place = {name: given.pop(name) for name in _PLACE}
        options = {name: value for name, value in given.items() if value is not None}
        command(options=options, **place, **values)

    wrapped: Callable[..., None] = with_options
    for option in reversed(OPTIONS):
        if option.flag.startswith("--"):
            wrapped = click.option(option.flag, type=option.kind, help=option.help)(wrapped)
        else:
            wrapped = click.argument(option.name, required=False)(wrapped)
    file = click.option("-f", "--file", type=click.Path(path_type=Path), help="The cluster file.")
    return file(wrapped)
