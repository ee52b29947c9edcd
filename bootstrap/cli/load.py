"""`bootstrap image load`, `loaded` and `unload`: the user's images in the nodes of a cluster."""

from __future__ import annotations  # the results are imported for type checks only

from typing import TYPE_CHECKING

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.ports import RunEvents

if TYPE_CHECKING:
    from bootstrap.api.results import Loaded


@click.command()
@click.argument("name")
@click.argument("sources", nargs=-1, required=True, metavar="ARCHIVE|IMAGE...")
@output_option
@reporting_options
def load(name: str, sources: tuple[str, ...], output: str, events: RunEvents) -> None:
    """Load container images into every node, and into those that are added later.

    ARCHIVE is an OCI archive or what `docker save` writes, for linux/amd64 and with the full
    names of its images; IMAGE is one that docker, podman or nerdctl on this host has. A pod
    uses such an image with `imagePullPolicy: Never` or `IfNotPresent`.
    """
    result = cluster(name, events=events).load_image(*sources)
    images = [{"name": image.name, "id": image.config} for image in result.images]
    data = {"images": images, "nodes": list(result.nodes), "changed": result.changed}
    lines = [f"{image.name} is on every node." for image in result.images]
    lines.append(f"Checked: {', '.join(result.nodes)}; changed={result.changed}.")
    names = [image.name for image in result.images]
    write(output, data, text="\n".join(lines), names=names, events=events)


@click.command()
@click.argument("name")
@output_option
def loaded(name: str, output: str) -> None:
    """List the images that were loaded, and the nodes that have them."""
    found = cluster(name).loaded_images()
    rows = [[one.image.name, one.image.config[7:19], ", ".join(one.nodes)] for one in found]
    text = table(["IMAGE", "ID", "NODES"], rows) if rows else "No image was loaded."
    names = [one.image.name for one in found]
    write(output, [_data(one) for one in found], text=text, names=names)


@click.command()
@click.argument("name")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@output_option
@reporting_options
def unload(name: str, images: tuple[str, ...], output: str, events: RunEvents) -> None:
    """Remove images that were loaded from every node; pods that run keep theirs."""
    removed = list(cluster(name, events=events).unload_image(*images))
    text = "\n".join(f"{image} is on no node." for image in removed)
    write(output, {"removed": removed}, text=text, names=removed, events=events)


def _data(one: Loaded) -> dict[str, object]:
    return {"name": one.image.name, "id": one.image.config, "nodes": list(one.nodes)}
