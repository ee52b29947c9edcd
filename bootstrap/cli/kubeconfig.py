"""`bootstrap kubeconfig`."""

import click

from bootstrap.cli.context import cluster_name, open_cluster
from bootstrap.cli.output import yaml_as_json
from bootstrap.workflow.files import find_file, merge_kubeconfig, read_file


@click.command()
@click.argument("name")
@click.option("--print", "shown", is_flag=True, help="Print the file instead of its path.")
@click.option("--merge", is_flag=True, help="Put its entries into your own kubeconfig again.")
@click.option("--use", is_flag=True, help="Merge, and make it kubectl's current context.")
@click.option(
    "-o", "--output", type=click.Choice(["name", "yaml", "json"]), default="name", show_default=True
)
def kubeconfig(name: str, output: str, *, shown: bool, merge: bool, use: bool) -> None:
    """Print the path of a cluster's kubeconfig, print the file, or merge it into your own."""
    cluster = cluster_name(name)
    ports = open_cluster(cluster)
    if merge or use:
        click.echo(merge_kubeconfig(cluster, ports, use=use))
    elif output == "json":
        click.echo(yaml_as_json(read_file(cluster, "kubeconfig", ports)))
    elif shown or output == "yaml":
        click.echo(read_file(cluster, "kubeconfig", ports), nl=False)
    else:
        click.echo(find_file(cluster, "kubeconfig", ports))
