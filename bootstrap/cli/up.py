"""`bootstrap up`."""

from pathlib import Path

import click

from bootstrap.cli.context import open_cluster
from bootstrap.cli.output import output_option
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import write_verified
from bootstrap.cli.spec_options import spec_options
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.ports import RunEvents
from bootstrap.workflow.node_removal import Removal
from bootstrap.workflow.up import UpOptions
from bootstrap.workflow.up import up as run_up


@click.command()
@spec_options
@click.option("--keep", is_flag=True, help="Keep the machines when the run fails.")
@click.option("--use", is_flag=True, help="Make the cluster kubectl's current context.")
@click.option("--allow-overcommit", is_flag=True, help="Start even if memory is short.")
@click.option("--remove", is_flag=True, help="Drain and remove workers that are too many.")
@output_option
@reporting_options
def up(  # noqa: PLR0913 - one argument for each option
    *,
    file: Path | None,
    flags: Flags,
    keep: bool,
    use: bool,
    allow_overcommit: bool,
    remove: bool,
    output: str,
    events: RunEvents,
) -> None:
    """Make a cluster, verify it, and write its kubeconfig.

    A second run continues where the first one ended. A cluster that needs no change is only
    verified.
    """
    spec = load_spec(file, flags)
    options = UpOptions(
        chosen=None if file else flags.chosen_facts(),
        allow_overcommit=allow_overcommit,
        keep=keep,
        use=use,
        removal=Removal() if remove else None,
    )
    ports = open_cluster(spec.name, spec.hypervisor_uri, events=events)
    result = run_up(spec, ports, options)
    write_verified(result, output, events)
