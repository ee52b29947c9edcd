"""`bootstrap kubeconfig`."""

import json

import click

from bootstrap.adapters.kubeconfig.reading import read_document, read_text
from bootstrap.cli import wiring
from bootstrap.cli.products import product


@click.command()
@click.argument("name")
@click.option("--print", "shown", is_flag=True, help="Print the file, not its path.")
@click.option("--merge", is_flag=True, help="Put its entries into your own kubeconfig again.")
@click.option("--use", is_flag=True, help="Merge, and make it kubectl's current context.")
@click.option(
    "-o", "--output", type=click.Choice(["name", "yaml", "json"]), default="name", show_default=True
)
def kubeconfig(name: str, output: str, *, shown: bool, merge: bool, use: bool) -> None:
    """Tell where a cluster's kubeconfig is, print it, or merge it into your own."""
    site = wiring.find_site()
    cluster = wiring.cluster_name(name)
    path = product(site, cluster, "kubeconfig")
    if merge or use:
        products = wiring.build_products(site, cluster)
        click.echo(products.merge_kubeconfig(path, use=use))
        return
    if output == "json":
        click.echo(json.dumps(read_document(path, read_text(path)), indent=2))
    elif shown or output == "yaml":
        click.echo(read_text(path), nl=False)
    else:
        click.echo(path)
