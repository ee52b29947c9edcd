"""`bootstrap inventory`."""

import click

from bootstrap.cli.context import cluster_name, open_cluster
from bootstrap.cli.output import yaml_as_json
from bootstrap.workflow.files import find_file, read_file


@click.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json", "name"]), default="yaml", show_default=True
)
def inventory(name: str, output: str) -> None:
    """Print the Ansible inventory: ansible -i <(bootstrap inventory NAME) -m ping all."""
    cluster = cluster_name(name)
    ports = open_cluster(cluster)
    if output == "name":
        click.echo(find_file(cluster, "inventory.yml", ports))
        return
    text = read_file(cluster, "inventory.yml", ports)
    click.echo(yaml_as_json(text) if output == "json" else text, nl=output == "json")
