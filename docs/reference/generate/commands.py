"""The page of the commands, from click's own description of them."""

import inspect
from collections import Counter
from collections.abc import Iterator

import click

from bootstrap.cli.group import cli
from docs.reference.generate.markdown import block, code, table

_HEAD = """\
# Commands

This page is generated from the command line; `bootstrap COMMAND --help` prints the same. Results
go to stdout, progress and errors to stderr. A command ends with one of the
[exit codes](exit-codes.md), and most print [JSON](json.md) on request.

"""
_SHARED = """
## Shared options

`-h` and `--help` work everywhere. `-q`, `-v` and `--progress` may stand before the name of the
command, too.

"""
#: An option of so many commands is described once.
_MANY = 5


def commands() -> str:
    """Return the page of the commands."""
    every = list(_leaves(cli, click.Context(cli, info_name="bootstrap")))
    counts = Counter(_row(option) for _, one in every for option in _options(one))
    shared = [row for row, count in counts.items() if count >= _MANY]
    overview = table(
        ["command", "what it does"],
        [
            (f"[{code(_path(context))}](#{_anchor(context)})", _sentence(one))
            for context, one in every
        ],
    )
    sections = "".join(_section(context, one, shared) for context, one in every)
    head = ["option", "what it does", "default"]
    return f"{_HEAD}{overview}{_SHARED}{table(head, sorted(shared))}{sections}"


def leaves() -> Iterator[tuple[str, click.Command]]:
    """Yield each command that is no group, with its words."""
    for context, one in _leaves(cli, click.Context(cli, info_name="bootstrap")):
        yield _path(context).removeprefix("bootstrap "), one


def _leaves(
    group: click.Group, context: click.Context
) -> Iterator[tuple[click.Context, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name  # noqa: S101 - it was listed
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _leaves(command, inner)
        else:
            yield inner, command


def _path(context: click.Context) -> str:
    return context.command_path


def _anchor(context: click.Context) -> str:
    return _path(context).replace(" ", "-")


def _text(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _sentence(command: click.Command) -> str:
    return _text(command).partition("\n\n")[0]


def _section(
    context: click.Context, command: click.Command, shared: list[tuple[str, str, str]]
) -> str:
    usage = " ".join([_path(context), *command.collect_usage_pieces(context)])
    rows = [_row(option) for option in _options(command)]
    own = [row for row in rows if row not in shared]
    also = ", ".join(sorted(row[0].partition(", ")[0] for row in rows if row in shared))
    parts = [f"\n## {_path(context)}\n", block("text", usage), f"{_text(command)}\n"]
    if own:
        parts.append(table(["option", "what it does", "default"], own))
    if also:
        parts.append(f"[Shared options](#shared-options): {also}\n")
    return "\n".join(parts)


def _options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option)]


def _row(option: click.Option) -> tuple[str, str, str]:
    value = "" if option.is_flag else f" {_value(option)}"
    names = ", ".join(code(name + value) for name in option.opts)
    variable = f" Also by `{option.envvar}=1`." if option.envvar else ""
    is_value = isinstance(option.default, str | int) and not option.is_flag
    default = code(option.default) if is_value and option.default != "" else ""
    return names, (option.help or "") + variable, default


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or option.type.name.upper().replace("INTEGER RANGE", "N")
