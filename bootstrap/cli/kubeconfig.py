"""`bootstrap kubeconfig`."""

import json

import click
import yaml

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
    text = path.read_text()
    if output == "json":
        click.echo(json.dumps(yaml.safe_load(text), indent=2))
    elif shown or output == "yaml":
        click.echo(text, nl=False)
    else:
        click.echo(path)
