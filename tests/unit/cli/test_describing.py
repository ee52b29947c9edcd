"""What help and completion read is what the commands say of themselves."""

import json

import click
import pytest

from bootstrap.cli.commands import Command, Kind, command_table
from bootstrap.cli.describing import described, subcommands
from bootstrap.cli.group import cli

#: Arguments whose values nobody can list, by command.
FREE = {
    "ssh": ["command"],
    "kubectl": ["words"],
    "port-forward": ["forwards"],
    "init": ["name"],
    "snapshot save": ["saved"],
}


def test_the_table_is_that_of_the_commands() -> None:
    current = json.loads(json.dumps(described(cli)))
    assert command_table() == current, "run: make generated"


def test_the_values_of_every_argument_can_be_listed_or_are_known_not_to() -> None:
    found = {
        path: [
            argument.name
            for argument, value in zip(arguments(command), table["arguments"], strict=True)
            if value["kind"] == Kind.TEXT
        ]
        for path, command, table in every_command(cli, described(cli), "")
    }
    assert {path: names for path, names in found.items() if names} == FREE


def test_help_shows_every_command_and_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli(["--help"], prog_name="bootstrap")
    assert ended.value.code == 0
    lines = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    shown = {line.split()[0]: " ".join(line.split()[1:]).removesuffix("...") for line in lines}
    summaries = {name: one["summary"] for name, one in described(cli)["commands"].items()}
    assert list(shown) == list(summaries)
    assert [name for name, text in shown.items() if not summaries[name].startswith(text)] == []
    assert all(len(text) > len("Make") for text in shown.values())


def arguments(command: click.Command) -> list[click.Argument]:
    return [one for one in command.params if isinstance(one, click.Argument)]


def every_command(
    command: click.Command, table: Command, path: str
) -> list[tuple[str, click.Command, Command]]:
    found = [(path, command, table)]
    for name, one in subcommands(command).items():
        found += every_command(one, table["commands"][name], f"{path} {name}".strip())
    return found
