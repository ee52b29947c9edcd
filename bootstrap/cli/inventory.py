"""`bootstrap inventory`."""

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.output import yaml_as_json


@click.command()
@click.argument("name", required=False)
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json", "name"]), default="yaml", show_default=True
)
def inventory(name: str | None, output: str) -> None:
    """Print the Ansible inventory: ansible -i <(bootstrap inventory NAME) -m ping all.

    Without NAME, the only cluster is meant.
    """
    named = cluster(name)
    if output == "name":
        click.echo(named.inventory())
        return
    text = named.read_inventory()
    click.echo(yaml_as_json(text) if output == "json" else text, nl=output == "json")
