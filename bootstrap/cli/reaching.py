"""`bootstrap ssh`, `cp`, `port-forward` and `kubectl`: each becomes the program it is named for."""

import os
from collections.abc import Sequence

import click

from bootstrap.cli.context import cluster
from bootstrap.errors import HostError

_PASSING = {"ignore_unknown_options": True}


@click.command(context_settings=_PASSING)
@click.argument("name")
@click.argument("node")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, node: str, command: tuple[str, ...]) -> None:
    """Log in on a node, or run a command there: bootstrap ssh demo worker -- uptime."""
    _become(cluster(name).ssh_command(node, *command))


@click.command()
@click.argument("name")
@click.argument("source")
@click.argument("target")
@click.option("-r", "recursive", is_flag=True, help="Copy directories with what is in them.")
def cp(name: str, source: str, target: str, *, recursive: bool) -> None:
    """Copy a file to or from a node: bootstrap cp demo notes worker:/tmp."""
    _become(cluster(name).copy_command(source, target, recursive=recursive))


@click.command(name="port-forward")
@click.argument("name")
@click.argument("node")
@click.argument("forwards", nargs=-1, required=True, metavar="LOCAL[:REMOTE]...")
def port_forward(name: str, node: str, forwards: tuple[str, ...]) -> None:
    """Lead ports of this host's 127.0.0.1 to a node's: bootstrap port-forward demo worker 8080:80.

    Goes on until it is interrupted.
    """
    _become(cluster(name).forward_command(node, *forwards))


_END_OF_OPTIONS = "--"


class _NameOrWords(click.Command):
    """Takes a leading ``--`` for the name that was left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See the base class."""
        left_out = [_END_OF_OPTIONS] if args[:1] == [_END_OF_OPTIONS] else []
        return super().parse_args(ctx, [*left_out, *args])


@click.command(cls=_NameOrWords, context_settings=_PASSING | {"allow_interspersed_args": False})
@click.argument("name", metavar="[NAME]")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def kubectl(name: str, words: tuple[str, ...]) -> None:
    """Run the kubectl of the cluster's version: bootstrap kubectl demo -- get nodes.

    Without NAME, as in `bootstrap kubectl -- get nodes`, the only cluster is meant.
    """
    own = words[1:] if words[:1] == (_END_OF_OPTIONS,) else words
    command = cluster(None if name == _END_OF_OPTIONS else name).kubectl_command(*own)
    os.execve(command.program, list(command.argv), os.environ | command.environment)  # noqa: S606 - takes our place


def _become(argv: Sequence[str]) -> None:
    """Let an OpenSSH program take the place of this process, with its terminal."""
    try:
        os.execvp(argv[0], list(argv))  # noqa: S606 - as said
    except FileNotFoundError as error:
        raise HostError(
            f"Could not reach the node: the program '{argv[0]}' is not installed.",
            hint="sudo apt-get install openssh-client",
        ) from error
