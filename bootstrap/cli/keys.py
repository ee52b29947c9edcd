"""`bootstrap image key` and `bootstrap snapshot key`: under which names a CI keeps what is slow."""

from pathlib import Path

import click

from bootstrap.cli.context import open_cluster, open_site
from bootstrap.cli.output import output_option, write
from bootstrap.cli.spec_options import spec_options
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.workflow.caching import cached_snapshot


@click.command(name="key")
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@output_option
def image_key(kubernetes_version: str, output: str) -> None:
    """Print the key of what a node image is made from, for the cache of a CI.

    It is known before anything is built. The day on which the image's Debian packages are fetched
    makes no difference to it. JSON and YAML also have the directories to keep.
    """
    source = open_site().images.source(kubernetes_version)
    directories = [str(directory) for directory in source.directories]
    data = {"key": source.key, "directories": directories}
    write(output, data, text=source.key, names=[source.key])


@click.command(name="key")
@spec_options
@output_option
def snapshot_key(*, file: Path | None, flags: Flags, output: str) -> None:
    """Print the key of the snapshot that `up --cached` clones, for the cache of a CI.

    It is known once the node image is built. It differs between hosts that cannot read each
    other's saved memory. The snapshot's name is `cached/KEY`.
    """
    spec = load_spec(file, flags)
    found = cached_snapshot(spec, open_cluster(spec.name, spec.hypervisor_uri))
    name = found.snapshot.name
    data = {"key": name, "snapshot": str(found.snapshot), "saved": found.is_saved}
    write(output, data, text=name, names=[str(found.snapshot)])
