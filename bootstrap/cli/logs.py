"""`bootstrap logs`."""

from pathlib import Path

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.errors import UsageError
from bootstrap.terminal import one_line, without_control_codes


@click.command()
@click.argument("name", required=False)
@click.argument("node", required=False)
@click.option("--console", is_flag=True, help="Print what the node wrote to its console.")
@click.option("-f", "--follow", is_flag=True, help="Print the node's journal as it is written.")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="Where to write the archive; default: with the cluster's local files.",
)
@hypervisor_option
@output_option
def logs(  # noqa: PLR0913 - one argument for each option
    *,
    name: str | None,
    node: str | None,
    console: bool,
    follow: bool,
    file: Path | None,
    hypervisor_uri: str | None,
    output: str,
) -> None:
    """Save all that explains a cluster in one archive, or print a node's console or journal.

    The archive has journals, consoles, containers' logs, Kubernetes objects, the plan, versions and
    the events of runs, without secrets; its manifest says what is missing and why. Without NAME,
    the only cluster is meant; `logs -f NODE` means a node of it.
    """
    if console and follow:
        raise UsageError("Say --console or --follow.", hint="bootstrap logs --help")
    followed = node or name
    if (console and node is None) or (follow and followed is None):
        raise UsageError("Name the node.", hint=f"bootstrap status {name or ''}".strip())
    named = cluster(name if node or not follow else None, hypervisor_uri)
    if follow and followed is not None:
        with named.following(followed) as lines:
            for line in lines:
                click.echo(one_line(line))
    elif console and node is not None:
        click.echo(without_control_codes(named.console(node)), nl=False)
    else:
        place = str(named.logs(node, target=file))
        write(output, {"archive": place}, text=place, names=[place])
