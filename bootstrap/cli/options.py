"""Options that several commands share."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bootstrap.config.flags import Flags

_SPEC_OPTIONS = (
    click.argument("name", required=False),
    click.option("-f", "--file", type=click.Path(path_type=Path), help="The cluster file."),
    click.option("--workers", type=int, help="Number of workers."),
    click.option("--control-planes", type=int, help="Number of control planes."),
    click.option("--memory", help="Memory of every node, such as 2GiB."),
    click.option("--cpus", type=int, help="Virtual processors of every node."),
    click.option("--disk", help="Largest size of every node's disk, such as 20GiB."),
    click.option("--kubernetes-version", help="Such as v1.37.2."),
    click.option("--api-server-port", type=int, help="Port on 127.0.0.1 for the API server."),
    click.option("--profile", help="How far the cluster is closed: default or strict."),
    click.option(
        "--hypervisor",
        "hypervisor_uri",
        metavar="URI",
        help="libvirt's URI; default: where the cluster is, else qemu:///session, as root qemu:///system.",
    ),
)


_FLAGS = (
    "workers",
    "control_planes",
    "memory",
    "cpus",
    "disk",
    "kubernetes_version",
    "api_server_port",
    "profile",
)


def spec_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the name and the options that make a cluster's spec.

    The command gets them as ``file`` and ``flags``.
    """

    @functools.wraps(command)
    def with_flags(**values: Any) -> None:  # noqa: ANN401 - click's own values
        flags = Flags(
            name=values.pop("name"),
            hypervisor_uri=values.pop("hypervisor_uri"),
            **{flag: values.pop(flag) for flag in _FLAGS},
        )
        command(flags=flags, **values)

    wrapped: Callable[..., None] = with_flags
    for option in reversed(_SPEC_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


hypervisor_option = click.option(
    "--hypervisor",
    "hypervisor_uri",
    metavar="URI",
    help="libvirt's URI; default: where the cluster is, else qemu:///session, as root qemu:///system.",
)
