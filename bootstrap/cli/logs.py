"""`bootstrap logs`."""

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.errors import UsageError
from bootstrap.terminal import without_control_codes


@click.command()
@click.argument("name")
@click.argument("node", required=False)
@click.option("--console", is_flag=True, help="Print what the node wrote to its console.")
@hypervisor_option
@output_option
def logs(
    name: str, node: str | None, hypervisor_uri: str | None, output: str, *, console: bool
) -> None:
    """Collect consoles and journals into a folder, or print a node's console."""
    named = cluster(name, hypervisor_uri)
    if console and node is None:
        raise UsageError("Name the node.", hint=f"bootstrap status {name}")
    if console and node is not None:
        click.echo(without_control_codes(named.console(node)), nl=False)
        return
    place = str(named.logs(node))
    write(output, {"directory": place}, text=place, names=[place])
