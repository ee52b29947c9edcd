"""Options that several commands share."""

import click

from bootstrap.model.sources import Source

hypervisor_option = click.option(
    "--hypervisor",
    "hypervisor_uri",
    metavar="URI",
    help="libvirt's URI; default: where the cluster is, else qemu:///session, as root qemu:///system.",
)

kubelet_option = click.option(
    "--kubelet-version",
    metavar="VERSION",
    help="Version of the kubelet in it, for workers that are older than Kubernetes.",
)

source_option = click.option(
    "--source",
    type=click.Choice([source.value for source in Source]),
    callback=lambda _context, _option, value: Source(value),
    default=Source.AUTO.value,
    show_default=True,
    help="Where Kubernetes comes from.",
)
