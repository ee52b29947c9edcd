"""`bootstrap image`: node images, and what loads container images into nodes."""

import click

from bootstrap.cli.context import client
from bootstrap.cli.keys import image_key
from bootstrap.cli.load import load, loaded, unload
from bootstrap.cli.options import hypervisor_option, kubelet_option, source_option
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.model.cluster import NodeImage
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.ports import RunEvents


@click.group()
def image() -> None:
    """Build, list and prune node images; load container images into a cluster."""


for _command in (load, loaded, unload, image_key):
    image.add_command(_command)


@image.command()
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@kubelet_option
@source_option
@click.option(
    "--refresh",
    is_flag=True,
    help="Fetch today's Debian packages, for new clusters; existing ones keep their image.",
)
@output_option
@reporting_options
def build(  # noqa: PLR0913 - one argument for each option
    *,
    kubernetes_version: str,
    kubelet_version: str | None,
    source: Source,
    output: str,
    events: RunEvents,
    refresh: bool,
) -> None:
    """Build the node image, and the artefacts in it, unless they exist."""
    built = client(events=events).build_image(
        kubernetes_version, source, kubelet_version=kubelet_version, refresh=refresh
    )
    write(output, _data(built), text=str(built.disk.parent), names=[built.key], events=events)


@image.command(name="list")
@output_option
@reporting_options
def list_images(output: str, events: RunEvents) -> None:
    """List the node images of this user."""
    found = client(events=events).images()
    rows = [
        [
            item.key,
            item.kubernetes_version,
            item.kubelet_version,
            item.size_bytes,
            item.packages_fetched or "unknown",
        ]
        for item in found
    ]
    header = ["KEY", "KUBERNETES", "KUBELET", "BYTES", "PACKAGES FETCHED"]
    text = table(header, rows) if rows else "No image is built."
    write(
        output,
        [_data(item) for item in found],
        text=text,
        names=[item.key for item in found],
        events=events,
    )


@image.command()
@hypervisor_option
@output_option
@reporting_options
def prune(hypervisor_uri: str | None, output: str, events: RunEvents) -> None:
    """Remove images that no node's disk needs, and base systems of earlier versions."""
    removed = list(client(hypervisor_uri, events=events).prune_images())
    text = "\n".join(removed) or "Nothing to remove."
    write(output, {"removed": removed}, text=text, names=removed, events=events)


def _data(item: NodeImage) -> dict[str, object]:
    return {
        "key": item.key,
        "kubernetesVersion": item.kubernetes_version,
        "kubeletVersion": item.kubelet_version,
        "sizeBytes": item.size_bytes,
        "packagesFetched": item.packages_fetched or None,
        "directory": str(item.disk.parent),
    }
