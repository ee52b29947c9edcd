"""Options that several commands share."""

import click

hypervisor_option = click.option(
    "--hypervisor",
    "hypervisor_uri",
    metavar="URI",
    help="libvirt's URI; default: where the cluster is, else qemu:///session, as root qemu:///system.",
)
