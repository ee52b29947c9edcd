"""`bootstrap image key` and `bootstrap snapshot key`: under which names a CI keeps what is slow."""

from pathlib import Path

import click

from bootstrap.api import Cluster, ClusterOptions
from bootstrap.cli.context import client
from bootstrap.cli.options import kubelet_option, source_option
from bootstrap.cli.output import output_option, write
from bootstrap.cli.spec_options import spec_options
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION


@click.command(name="key")
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@kubelet_option
@source_option
@output_option
def image_key(
    kubernetes_version: str, kubelet_version: str | None, source: Source, output: str
) -> None:
    """Print the key of what a node image is made from, for the cache of a CI.

    It is known before anything is built. The day on which the image's Debian packages are fetched
    makes no difference to it. JSON and YAML also have the directories to keep.
    """
    found = client().image_source(kubernetes_version, source, kubelet_version=kubelet_version)
    directories = [str(directory) for directory in found.directories]
    data = {"key": found.key, "directories": directories}
    write(output, data, text=found.key, names=[found.key])


@click.command(name="key")
@spec_options
@output_option
def snapshot_key(
    *,
    name: str | None,
    hypervisor: str | None,
    file: Path | None,
    options: ClusterOptions,
    output: str,
) -> None:
    """Print the key of the snapshot that `up --cached` clones, for the cache of a CI.

    It is known once the node image is built. It differs between hosts that cannot read each
    other's saved memory. The snapshot's name is `cached/KEY`.
    """
    found = Cluster.cached_snapshot(name, file=file, client=client(hypervisor), **options)
    key = found.snapshot.name
    data = {"key": key, "snapshot": str(found.snapshot), "saved": found.is_saved}
    write(output, data, text=key, names=[str(found.snapshot)])
