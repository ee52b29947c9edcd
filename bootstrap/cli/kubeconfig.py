"""`bootstrap kubeconfig`."""

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.output import yaml_as_json


@click.command()
@click.argument("name", required=False)
@click.option("--print", "shown", is_flag=True, help="Print the file instead of its path.")
@click.option("--merge", is_flag=True, help="Put its entries into your own kubeconfig again.")
@click.option("--use", is_flag=True, help="Merge, and make it kubectl's current context.")
@click.option(
    "-o", "--output", type=click.Choice(["name", "yaml", "json"]), default="name", show_default=True
)
def kubeconfig(name: str | None, output: str, *, shown: bool, merge: bool, use: bool) -> None:
    """Print the path of a cluster's kubeconfig, print the file, or merge it into your own.

    Without NAME, the only cluster is meant.
    """
    named = cluster(name)
    if merge or use:
        click.echo(named.merge_kubeconfig(use=use))
    elif output == "json":
        click.echo(yaml_as_json(named.read_kubeconfig()))
    elif shown or output == "yaml":
        click.echo(named.read_kubeconfig(), nl=False)
    else:
        click.echo(named.kubeconfig())
