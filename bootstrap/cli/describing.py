"""Describe the click commands as data; ``python -m bootstrap.cli.describing`` writes it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from bootstrap.cli.commands import COMMANDS_FILE, Command, Kind, Option, Value
from bootstrap.model.site import SESSION, SYSTEM
from bootstrap.model.sources import Source
from bootstrap.model.spec import SecurityProfile
from bootstrap.model.versions import SUPPORTED_VERSIONS

_KINDS = {
    "name": Kind.CLUSTER,
    "node": Kind.NODE,
    "nodes": Kind.NODE,
    "replaced": Kind.NODE,
    "saved": Kind.SNAPSHOT,
    "snapshot": Kind.ANY_SNAPSHOT,
    "source": Kind.PLACE,
    "target": Kind.PLACE,
    "images": Kind.IMAGE,
    "run": Kind.RUN,
    "sources": Kind.FILE,
}
#: Where a parameter of that name takes something else.
_KINDS_OF_COMMAND = {
    ("init", "name"): Kind.TEXT,
    ("reset", "name"): Kind.SAVED_CLUSTER,
    ("snapshot save", "name"): Kind.CLUSTER,
    ("snapshot save", "saved"): Kind.TEXT,
}
#: Of options.
_CHOICES: Mapping[str, Sequence[str]] = {
    "hypervisor": (SESSION, SYSTEM),
    "hypervisor_uri": (SESSION, SYSTEM),
    "kubernetes_version": SUPPORTED_VERSIONS,
    "kubelet_version": SUPPORTED_VERSIONS,
    "profile": tuple(SecurityProfile),
    "source": tuple(Source),
}
#: Longer than the first sentence of any command.
_LONGEST_SUMMARY = 500


def described(command: click.Command, above: click.Context | None = None) -> Command:
    """Describe a command, and those in it; ``above`` is the context of its group."""
    context = context_of(command, above)
    path = _path(context)
    shown = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    found: Command = {
        "summary": command.get_short_help_str(_LONGEST_SUMMARY),
        "options": [_option(one, context) for one in shown if isinstance(one, click.Option)],
        "arguments": [_value(one, path) for one in shown if isinstance(one, click.Argument)],
    }
    if isinstance(command, click.Group):
        inside = subcommands(command).items()
        found["commands"] = {name: described(one, context) for name, one in inside}
    return found


def context_of(command: click.Command, above: click.Context | None = None) -> click.Context:
    """Return the context in which a command shows its help."""
    settings: Mapping[str, Any] = command.context_settings
    return click.Context(command, above, command.name if above else "bootstrap", **settings)


def subcommands(command: click.Command) -> Mapping[str, click.Command]:
    """Return the commands of a group by their names, in its order; none of another command."""
    if not isinstance(command, click.Group):
        return {}
    context = click.Context(command)
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return {name: one for name, one in found if one is not None and not one.hidden}


def _path(context: click.Context) -> str:
    """Return the words that name the command, without that of the program."""
    return context.command_path.partition(" ")[2]


def _option(option: click.Option, context: click.Context) -> Option:
    names = [*option.opts, *option.secondary_opts]
    if "--help" in names:
        # click keeps the names that this option had in the first context of the process.
        names = list(context.help_option_names)
    found: Option = {"names": names, "help": option.help or ""}
    if not (option.is_flag or option.count):
        found["value"] = _value(option, _path(context))
    return found


def _value(parameter: click.Parameter, path: str) -> Value:
    is_option = isinstance(parameter, click.Option)
    choices = _CHOICES.get(parameter.name or "", ()) if is_option else ()
    if isinstance(parameter.type, click.Choice):
        choices = parameter.type.choices
    found: Value = {"kind": Kind.CHOICE if choices else _kind(parameter, path)}
    if choices:
        found["choices"] = list(choices)
    if parameter.nargs == -1 or parameter.multiple:
        found["many"] = True
    return found


def _kind(parameter: click.Parameter, path: str) -> Kind:
    name = parameter.name or ""
    if isinstance(parameter.type, click.Path | click.File):
        return Kind.FILE
    if (path, name) in _KINDS_OF_COMMAND:
        return _KINDS_OF_COMMAND[path, name]
    kind = _KINDS.get(name, Kind.TEXT)
    is_of_snapshot = kind is Kind.CLUSTER and path.startswith("snapshot ")
    return Kind.SAVED_CLUSTER if is_of_snapshot else kind


def write() -> None:
    """Write the description of the whole command line."""
    from bootstrap.cli.group import cli  # noqa: PLC0415 - the group reads what this writes

    COMMANDS_FILE.write_text(json.dumps(described(cli), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
