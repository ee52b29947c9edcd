"""`bootstrap list`."""

from __future__ import annotations  # the results are imported for type checks only

from typing import TYPE_CHECKING

import click

from bootstrap.cli.context import client
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, table, write

if TYPE_CHECKING:
    from bootstrap.api.results import ClusterSummary


@click.command(name="list")
@hypervisor_option
@output_option
def list_clusters(hypervisor_uri: str | None, output: str) -> None:
    """List the clusters of this user, as libvirt knows them."""
    rows = [_row(cluster) for cluster in client(hypervisor_uri).clusters()]
    header = ["NAME", "CONTROL PLANES", "WORKERS", "KUBELETS", "RUNNING", "STATE", "CREATED"]
    lines = [list(map(_cell, row.values())) for row in rows]
    text = table(header, lines) if rows else "No cluster exists."
    write(output, rows, text=text, names=[str(row["name"]) for row in rows])


def _row(cluster: ClusterSummary) -> dict[str, object]:
    return {
        "name": str(cluster.name),
        "controlPlanes": cluster.control_planes,
        "workers": cluster.workers,
        "kubeletVersions": list(cluster.kubelet_versions),
        "running": f"{cluster.running}/{cluster.control_planes + cluster.workers}",
        "state": cluster.state.value,
        "created": cluster.created,
    }


def _cell(value: object) -> object:
    return ", ".join(value) if isinstance(value, list) else value
