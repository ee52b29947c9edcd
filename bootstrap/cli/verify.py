"""`bootstrap verify`."""

import click

from bootstrap.cli.context import cluster_name, open_cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import checks_data, output_option, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.ports import RunEvents
from bootstrap.workflow.verification import check_line, refuse_failed
from bootstrap.workflow.verification import verify as run_verify


@click.command()
@click.argument("name")
@hypervisor_option
@output_option
@reporting_options
def verify(name: str, hypervisor_uri: str | None, output: str, events: RunEvents) -> None:
    """Repeat the checks of `up`, each with its evidence; exit code 8 if one fails."""
    cluster = cluster_name(name)
    found = run_verify(cluster, open_cluster(cluster, hypervisor_uri, events=events))
    checks = found.checks
    text = "\n".join(map(check_line, checks))
    names = [check.name for check in checks if check.ok]
    write(output, checks_data(checks), text=text, names=names, events=events)
    refuse_failed(cluster, found, hint=f"bootstrap logs {name}")
