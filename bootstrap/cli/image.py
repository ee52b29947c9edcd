"""`bootstrap image`."""

import click

from bootstrap.cli import wiring
from bootstrap.cli.console import StepProgress
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, table, write
from bootstrap.model.cluster import NodeImage
from bootstrap.model.versions import DEFAULT_VERSION


@click.group()
def image() -> None:
    """Build, list and prune node images."""


@image.command()
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@output_option
def build(kubernetes_version: str, output: str) -> None:
    """Build the node image, and the artefacts in it, unless they exist."""
    progress = StepProgress()
    progress.step("Preparing the node image")
    built = wiring.build_images(wiring.find_site(), progress).ensure(kubernetes_version)
    write(output, _data(built), text=str(built.disk.parent), names=[built.key])


@image.command(name="list")
@output_option
def list_images(output: str) -> None:
    """List the node images of this user."""
    found = wiring.build_images(wiring.find_site(), StepProgress()).list()
    rows = [[item.key, item.kubernetes_version, item.size_bytes] for item in found]
    text = table(["KEY", "KUBERNETES", "BYTES"], rows) if rows else "No image is built."
    write(output, [_data(item) for item in found], text=text, names=[item.key for item in found])


@image.command()
@hypervisor_option
@output_option
def prune(hypervisor_uri: str | None, output: str) -> None:
    """Remove images that no node's disk lies over, and base systems of earlier versions."""
    site = wiring.find_site(hypervisor_uri)
    domains = wiring.build_hypervisor(site).domains()
    in_use = {domain.mark.facts.get("image", "") for domain in domains}
    # Other libvirts have machines too.
    in_use |= set(wiring.build_volumes(site).images())
    removed = list(wiring.build_images(site, StepProgress()).prune(in_use))
    write(
        output, {"removed": removed}, text="\n".join(removed) or "Nothing to remove.", names=removed
    )


def _data(item: NodeImage) -> dict[str, object]:
    return {
        "key": item.key,
        "kubernetesVersion": item.kubernetes_version,
        "sizeBytes": item.size_bytes,
        "directory": str(item.disk.parent),
    }
