"""`bootstrap init` and `bootstrap schema`."""

import json
import shlex
from pathlib import Path

import click

from bootstrap.api.names import cluster_name
from bootstrap.config.generated import json_schema, starter_file
from bootstrap.errors import UsageError


@click.command()
@click.argument("name", default="bootstrap")
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    default=Path("cluster.yaml"),
    show_default=True,
    help="Where to write; - for stdout.",
)
def init(name: str, file: Path) -> None:
    """Write a starter cluster file with every field explained."""
    text = starter_file(cluster_name(name))
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise UsageError(
            f"File '{file}' exists already, so it was left alone.",
            hint="bootstrap init --file another.yaml",
        ) from error
    except OSError as error:
        raise UsageError(
            f"Could not write file '{file}'.",
            details=str(error),
            hint="bootstrap init --file - > cluster.yaml",
        ) from error
    click.echo(f"bootstrap up -f {shlex.quote(str(file))}")


@click.command()
def schema() -> None:
    """Print the JSON Schema of the cluster file."""
    click.echo(json.dumps(json_schema(), indent=2))
