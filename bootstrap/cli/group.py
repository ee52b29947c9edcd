"""The group of all commands, each loaded when it is named, and the boundary for errors."""

import importlib
import os
import signal
import sys
from typing import Any

import click

from bootstrap import __version__
from bootstrap.cli.commands import ALIASES, command_table
from bootstrap.cli.reporting import verbosity_options
from bootstrap.errors import BootstrapError

#: Command -> module and name of the click command, which is loaded when it is named.
_COMMANDS = {
    "up": ("up", "up"),
    "down": ("down", "down"),
    "stop": ("life", "stop"),
    "start": ("life", "start"),
    "reboot": ("life", "reboot"),
    "suspend": ("life", "suspend"),
    "resume": ("life", "resume"),
    "snapshot": ("snapshot", "snapshot"),
    "reset": ("snapshot", "reset"),
    "list": ("listing", "list_clusters"),
    "status": ("status", "status"),
    "top": ("watch", "top"),
    "verify": ("verify", "verify"),
    "node": ("node", "node"),
    "plan": ("plan", "plan"),
    "kubectl": ("reaching", "kubectl"),
    "ssh": ("reaching", "ssh"),
    "cp": ("reaching", "cp"),
    "port-forward": ("reaching", "port_forward"),
    "logs": ("logs", "logs"),
    "timeline": ("timeline", "timeline"),
    "kubeconfig": ("kubeconfig", "kubeconfig"),
    "inventory": ("inventory", "inventory"),
    "doctor": ("doctor", "doctor"),
    "init": ("files", "init"),
    "schema": ("files", "schema"),
    "artifacts": ("artifacts", "artifacts"),
    "image": ("image", "image"),
    "bundle": ("bundle", "bundle"),
    "version": ("version", "version"),
    "versions": ("versions", "versions"),
    "completion": ("completion", "completion"),
    "man": ("man", "man"),
}
#: The columns around the name of a command, as click counts them.
_MARGINS = 6


class BootstrapGroup(click.Group):
    """Loads a command when it is named, and prints each of our errors once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order in which a user meets them."""
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write a line for each command, as click does, and load no command's module for it."""
        width = formatter.width - _MARGINS - max(map(len, _COMMANDS))
        rows = [
            (name, click.Command(name, help=one["summary"]).get_short_help_str(width))
            for name, one in command_table()["commands"].items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module and return the command."""
        known = _COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if known is None:
            return None
        module = importlib.import_module(f"bootstrap.cli.{known[0]}")
        command: click.Command = getattr(module, known[1])
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run the command; an error of ours becomes its text and its exit code."""
        try:
            return super().invoke(ctx)
        except BootstrapError as error:
            from bootstrap.console import show_error  # noqa: PLC0415 - rich is not for --help

            show_error(error)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            # The reader of our output has gone, so nothing more can be reported.
            for descriptor in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            sys.exit(128 + signal.SIGPIPE)
        except OSError as error:
            # No adapter has explained it: the host refused to read or write a file of ours.
            from bootstrap.composition import file_error  # noqa: PLC0415
            from bootstrap.console import show_error  # noqa: PLC0415

            failure = file_error("finish the command", error)
            show_error(failure)
            sys.exit(failure.exit_code)


@click.group(cls=BootstrapGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bootstrap")
@verbosity_options
def cli() -> None:
    """Make a real Kubernetes cluster on real virtual machines, and take it down again."""
