"""`bootstrap ssh`."""

import os

import click

from bootstrap.cli import wiring
from bootstrap.cli.products import product
from bootstrap.errors import HostError


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("node")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(name: str, node: str, command: tuple[str, ...]) -> None:
    """Log in on a node, or run a command there: bootstrap ssh demo demo-worker -- uptime."""
    cluster = wiring.cluster_name(name)
    site = wiring.find_site(cluster=cluster)
    config = product(site, cluster, "ssh/config")
    host = wiring.node_of(wiring.existing_domains(site, cluster), node)
    argv = ["ssh", "-F", str(config), "--", host.name, *command]
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - ssh takes our place, with our terminal
    except FileNotFoundError as error:
        raise HostError(
            "Could not log in: the program 'ssh' is not installed.",
            hint="sudo apt-get install openssh-client",
        ) from error
