"""`bootstrap logs`."""

import click

from bootstrap.cli.context import cluster_name, open_cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.errors import UsageError
from bootstrap.terminal import without_control_codes
from bootstrap.workflow.logs import collect_logs, read_console


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
    cluster = cluster_name(name)
    if console and node is None:
        raise UsageError("Name the node.", hint=f"bootstrap status {name}")
    ports = open_cluster(cluster, hypervisor_uri)
    if console and node is not None:
        click.echo(without_control_codes(read_console(cluster, node, ports)), nl=False)
        return
    place = str(collect_logs(cluster, node, ports))
    write(output, {"directory": place}, text=place, names=[place])
