"""`bootstrap node`: add, remove and replace single nodes."""

import click

from bootstrap.api.results import DRAIN_TIMEOUT_S, RemovalResult
from bootstrap.cli.context import cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import checks_data, output_option, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import write_verified
from bootstrap.ports import RunEvents

_overcommit = click.option(
    "--allow-overcommit", is_flag=True, help="Go on even if memory is short."
)
_force = click.option("--force", is_flag=True, help="Do not wait until the pods have left.")
_timeout = click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help=f"How long pods may take to leave; default: {DRAIN_TIMEOUT_S}, emulated six times that.",
)


@click.group()
def node() -> None:
    """Add, remove and replace workers; the other nodes are not touched."""


@node.command()
@click.argument("name")
@click.option(
    "--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many workers."
)
@click.option("--cpus", type=int, help="Virtual CPUs of each new worker.")
@click.option("--memory", help="Memory of each new worker, such as 4GiB.")
@click.option("--disk", help="Size of each new worker's disk, such as 40GiB.")
@click.option("--kubelet-version", help="Version of each new worker's kubelet, such as v1.36.3.")
@_overcommit
@hypervisor_option
@output_option
@reporting_options
def add(  # noqa: PLR0913 - one argument for each option
    *,
    name: str,
    count: int,
    cpus: int | None,
    memory: str | None,
    disk: str | None,
    kubelet_version: str | None,
    allow_overcommit: bool,
    hypervisor_uri: str | None,
    output: str,
    events: RunEvents,
) -> None:
    """Add workers to a cluster, and verify it.

    What is not given is as with the worker before. If the command is interrupted,
    `up` with the cluster's name finishes it; the same command again would add more.
    """
    result = cluster(name, hypervisor_uri, events=events).add_nodes(
        count,
        cpus=cpus,
        memory=memory,
        disk=disk,
        kubelet_version=kubelet_version,
        allow_overcommit=allow_overcommit,
    )
    write_verified(result, output, events)


@node.command()
@click.argument("name")
@click.argument("nodes", nargs=-1, required=True)
@_force
@_timeout
@hypervisor_option
@output_option
@reporting_options
def remove(  # noqa: PLR0913 - one argument for each option
    *,
    name: str,
    nodes: tuple[str, ...],
    force: bool,
    timeout_s: int | None,
    hypervisor_uri: str | None,
    output: str,
    events: RunEvents,
) -> None:
    """Drain workers, remove them, and verify the rest.

    Disruption budgets are respected. If pods do not leave in time, every node stays. Pods of no
    controller are lost. The command does not wait for the pods of a node that is off.
    """
    named = cluster(name, hypervisor_uri, events=events)
    result = named.remove_nodes(*nodes, force=force, timeout_s=timeout_s)
    data = {
        "name": name,
        "removed": list(result.removed),
        "verified": True,
        "nodes": [one.name for one in result.plan.nodes],
        "checks": checks_data(result.checks),
    }
    write(output, data, text=_as_text(result), names=result.removed, events=events)


@node.command()
@click.argument("name")
@click.argument("replaced", metavar="NODE")
@_force
@_timeout
@_overcommit
@hypervisor_option
@output_option
@reporting_options
def replace(  # noqa: PLR0913 - one argument for each option
    *,
    name: str,
    replaced: str,
    force: bool,
    timeout_s: int | None,
    allow_overcommit: bool,
    hypervisor_uri: str | None,
    output: str,
    events: RunEvents,
) -> None:
    """Remove a worker and make it anew with its name, size and labels; then verify."""
    result = cluster(name, hypervisor_uri, events=events).replace_node(
        replaced, force=force, timeout_s=timeout_s, allow_overcommit=allow_overcommit
    )
    write_verified(result, output, events)


def _as_text(result: RemovalResult) -> str:
    lines = map(str, result.checks)
    nodes = ", ".join(node.name for node in result.plan.nodes)
    removed = ", ".join(result.removed)
    last = f"Removed {removed}. Cluster '{result.plan.name}' is verified: {nodes}."
    return "\n".join([*lines, last])
