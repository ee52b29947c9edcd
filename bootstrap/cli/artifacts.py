"""`bootstrap artifacts`."""

import click

from bootstrap.cli.context import client
from bootstrap.cli.options import source_option
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.ports import RunEvents


@click.group()
def artifacts() -> None:
    """Build, list and prune the programs and images that Kubernetes is installed from."""


@artifacts.command()
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@source_option
@click.option("--refresh", is_flag=True, help="Fetch today's Debian packages for kube-proxy.")
@output_option
@reporting_options
def build(
    kubernetes_version: str, source: Source, output: str, events: RunEvents, *, refresh: bool
) -> None:
    """Build or download every program; from Go modules about 15 minutes on 2 cores, once."""
    built = client(events=events).build_artifacts(kubernetes_version, source, refresh=refresh)
    data = {
        "directory": str(built.directory),
        "digest": built.digest,
        "programs": {name: str(path) for name, path in sorted(built.binaries.items())},
        "images": str(built.image_archive),
        "pulls": dict(built.pulls),
    }
    write(output, data, text=str(built.directory), names=sorted(built.binaries), events=events)


@artifacts.command(name="list")
@output_option
@reporting_options
def list_artifacts(output: str, events: RunEvents) -> None:
    """List the artefacts in the cache."""
    found = client(events=events).artifacts()
    data = [
        {
            "name": item.name,
            "version": item.version,
            "sizeBytes": item.size_bytes,
            "sha256": item.sha256,
            "path": str(item.path),
            "made": item.made or None,
        }
        for item in found
    ]
    rows = [
        [item.name, item.version, item.size_bytes, item.sha256[:16], item.made or "unknown"]
        for item in found
    ]
    header = ["NAME", "VERSION", "BYTES", "SHA256", "MADE"]
    text = table(header, rows) if rows else "Nothing is built."
    write(output, data, text=text, names=[item.name for item in found], events=events)


@artifacts.command()
@output_option
@reporting_options
def prune(output: str, events: RunEvents) -> None:
    """Remove artefacts that earlier versions of this tool built."""
    removed = list(client(events=events).prune_artifacts())
    text = "\n".join(removed) or "Nothing to remove."
    write(output, {"removed": removed}, text=text, names=removed, events=events)
