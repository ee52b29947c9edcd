"""`bootstrap verify`."""

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import checks_data, output_option, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.ports import RunEvents


@click.command()
@click.argument("name", required=False)
@hypervisor_option
@output_option
@reporting_options
def verify(name: str | None, hypervisor_uri: str | None, output: str, events: RunEvents) -> None:
    """Repeat the checks of `up`, each with its evidence; exit code 8 if one fails.

    Without NAME, the only cluster is meant.
    """
    named = cluster(name, hypervisor_uri, events=events)
    name = named.name
    found = named.verify(check=False)
    checks = found.checks
    text = "\n".join(map(str, checks))
    names = [check.name for check in checks if check.ok]
    write(output, checks_data(checks), text=text, names=names, events=events)
    found.refuse_failed(name, hint=f"bootstrap logs {name}")
