"""`bootstrap up`."""

from pathlib import Path

import click

from bootstrap.api import Cluster, ClusterOptions
from bootstrap.cli.context import client
from bootstrap.cli.output import output_option
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import tell_what_next, write_verified
from bootstrap.cli.spec_options import spec_options
from bootstrap.errors import UsageError
from bootstrap.ports import RunEvents


@click.command()
@spec_options
@click.option("--keep", is_flag=True, help="Keep the machines when the run fails.")
@click.option("--use", is_flag=True, help="Make the cluster kubectl's current context.")
@click.option("--allow-overcommit", is_flag=True, help="Start even if memory is short.")
@click.option("--remove", is_flag=True, help="Drain and remove workers that are too many.")
@click.option(
    "--from", "snapshot", metavar="CLUSTER[/SNAPSHOT]", help="Clone a snapshot, in seconds."
)
@click.option(
    "--cached",
    is_flag=True,
    envvar="BOOTSTRAP_CACHED",
    help="Clone the snapshot of such a cluster; without one, make and save it.",
)
@click.option("--share-trust", is_flag=True, help="Clone a strict cluster with its authorities.")
@output_option
@reporting_options
def up(  # noqa: PLR0913 - one argument for each option
    *,
    name: str | None,
    hypervisor: str | None,
    file: Path | None,
    options: ClusterOptions,
    keep: bool,
    use: bool,
    allow_overcommit: bool,
    remove: bool,
    snapshot: str | None,
    cached: bool,
    share_trust: bool,
    output: str,
    events: RunEvents,
) -> None:
    """Make a cluster, verify it, and write its kubeconfig.

    A second run continues where the first one ended. A cluster that needs no change is only
    verified.
    """
    opened = client(hypervisor, events=events)
    if snapshot is not None:
        _refuse_options(file, options)
        made = Cluster.from_snapshot(snapshot, name, share_trust=share_trust, client=opened)
    else:
        made = Cluster.up(
            name,
            file=file,
            cached=cached,
            share_trust=share_trust,
            keep=keep,
            use=use,
            allow_overcommit=allow_overcommit,
            remove=remove,
            client=opened,
            **options,
        )
    write_verified(made.verified, output, events)
    tell_what_next(made.verified, output, events)


def _refuse_options(file: Path | None, options: ClusterOptions) -> None:
    chosen = [*sorted(options), *([str(file)] if file else [])]
    if chosen:
        raise UsageError(
            "A clone is what was saved: --from takes no file and no option of the cluster.",
            details=f"Given: {', '.join(chosen)}",
            hint="bootstrap up --help",
        )
