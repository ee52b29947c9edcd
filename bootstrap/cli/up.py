"""`bootstrap up`."""

from pathlib import Path

import click

from bootstrap.cli.context import named_snapshot, open_cluster
from bootstrap.cli.output import output_option
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import tell_what_next, write_verified
from bootstrap.cli.spec_options import spec_options
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import UsageError
from bootstrap.ports import RunEvents
from bootstrap.workflow.caching import up_cached
from bootstrap.workflow.node_removal import Removal
from bootstrap.workflow.restoring import clone
from bootstrap.workflow.up import UpOptions
from bootstrap.workflow.up import up as run_up


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
    file: Path | None,
    flags: Flags,
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
    spec = load_spec(file, flags)
    options = UpOptions(
        chosen=None if file else flags.chosen_facts(),
        allow_overcommit=allow_overcommit,
        keep=keep,
        use=use,
        removal=Removal() if remove else None,
    )
    ports = open_cluster(spec.name, spec.hypervisor_uri, events=events)
    if snapshot is not None:
        _refuse_options(file, flags)
        result = clone(spec, named_snapshot(snapshot, ports), ports, share_trust=share_trust)
    elif cached:
        result = up_cached(spec, ports, options, share_trust=share_trust).verified
    else:
        result = run_up(spec, ports, options)
    write_verified(result, output, events)
    tell_what_next(result, output, events)


def _refuse_options(file: Path | None, flags: Flags) -> None:
    chosen = sorted(flags.values.keys() - {"name", "hypervisor"})
    if file or chosen:
        raise UsageError(
            "A clone is what was saved: --from takes no file and no option of the cluster.",
            details=f"Given: {', '.join([*chosen, *([str(file)] if file else [])])}",
            hint="bootstrap up --help",
        )
