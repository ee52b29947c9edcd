"""`bootstrap inventory`."""

import json

import click
import yaml

from bootstrap.cli import wiring
from bootstrap.cli.products import product


@click.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json", "name"]), default="yaml", show_default=True
)
def inventory(name: str, output: str) -> None:
    """Print the Ansible inventory: ansible -i <(bootstrap inventory NAME) -m ping all."""
    path = product(wiring.find_site(), wiring.cluster_name(name), "inventory.yml")
    text = path.read_text()
    match output:
        case "json":
            click.echo(json.dumps(yaml.safe_load(text), indent=2))
        case "name":
            click.echo(path)
        case _:
            click.echo(text, nl=False)
