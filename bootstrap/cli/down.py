"""`bootstrap down`."""

from __future__ import annotations  # the results are imported for type checks only

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from bootstrap.cli.context import client
from bootstrap.cli.context import cluster as open_cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.errors import UsageError
from bootstrap.ports import RunEvents

if TYPE_CHECKING:
    from bootstrap.api.results import DownResult


@click.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="All clusters of this user at this libvirt.")
@click.option("--with-snapshots", is_flag=True, help="Delete its snapshots, too.")
@hypervisor_option
@output_option
@reporting_options
def down(  # noqa: PLR0913 - one argument for each option
    name: str | None,
    hypervisor_uri: str | None,
    output: str,
    *,
    every: bool,
    with_snapshots: bool,
    events: RunEvents,
) -> None:
    """Remove everything of a cluster: machines, disks, files and kubeconfig entries.

    Its snapshots stay. Needs no local state. If nothing exists, it removes nothing and exits
    with 0. With --all, a cluster that cannot be removed does not keep the others.
    """
    if every and name is None:
        opened = client(hypervisor_uri, events=events)
        results, failures = opened.down_all(with_snapshots=with_snapshots)
        if results or not failures.errors:
            _report(results, output, events)
        failures.raise_together("Not every cluster was removed.", hint="bootstrap down --all")
    elif name is not None and not every:
        cluster = open_cluster(name, hypervisor_uri, events=events)
        _report({cluster.name: cluster.down(with_snapshots=with_snapshots)}, output, events)
    else:
        raise UsageError("Name a cluster, or say --all.", hint="bootstrap list")


def _report(results: Mapping[str, DownResult], output: str, events: RunEvents) -> None:
    text = "\n".join(_as_text(cluster, result) for cluster, result in results.items())
    data = [_as_data(cluster, result) for cluster, result in results.items()]
    names = list(results)
    write(output, data, text=text or "No cluster exists.", names=names, events=events)


def _as_text(cluster: str, result: DownResult) -> str:
    removed = [*(f"domain '{name}'" for name in result.domains)]
    removed += ["volumes"] if result.volumes else []
    removed += ["local files"] if result.state else []
    what = ", ".join(removed) or "nothing was left of it"
    kept = "".join(f"\nkept, since you changed it: {entry}" for entry in result.kept)
    kept += "".join(f"\nkept: snapshot '{name}'" for name in result.snapshots)
    return f"Cluster '{cluster}' is removed: {what}.{kept}"


def _as_data(cluster: str, result: DownResult) -> dict[str, object]:
    return {
        "name": cluster,
        "domains": list(result.domains),
        "volumes": result.volumes,
        "state": result.state,
        "kept": list(result.kept),
        "snapshots": list(result.snapshots),
    }
