"""`bootstrap node`: add, remove and replace single nodes."""

import click

from bootstrap.cli.context import cluster_name, open_cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import checks_data, output_option, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import write_verified
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import RunEvents
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.node_changes import RemovalResult, remove_nodes, replace_node
from bootstrap.workflow.node_removal import DRAIN_TIMEOUT_S, Removal
from bootstrap.workflow.up import UpOptions, up
from bootstrap.workflow.verification import check_line

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
    allow_overcommit: bool,
    hypervisor_uri: str | None,
    output: str,
    events: RunEvents,
) -> None:
    """Add workers to a cluster, and verify it.

    What is not given is as with the worker before. If the command is interrupted,
    `up` with the cluster's name finishes it; the same command again would add more.
    """
    flags = Flags(
        name=str(cluster_name(name)), hypervisor=hypervisor_uri, cpus=cpus, memory=memory, disk=disk
    )
    spec = load_spec(None, flags)
    options = UpOptions(
        chosen=flags.chosen_facts(),
        allow_overcommit=allow_overcommit,
        keep=True,
        use=False,
        adding=count,
    )
    result = up(spec, open_cluster(spec.name, spec.hypervisor_uri, events=events), options)
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
    controller are lost. Nobody waits for the pods of a node that is off.
    """
    spec, ports = _existing(name, hypervisor_uri, events)
    result = remove_nodes(spec, nodes, ports, Removal(force=force, timeout_s=timeout_s))
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
    spec, ports = _existing(name, hypervisor_uri, events)
    options = UpOptions(
        chosen=None,
        allow_overcommit=allow_overcommit,
        keep=True,
        use=False,
        removal=Removal(force=force, timeout_s=timeout_s, verb="replace"),
    )
    write_verified(replace_node(spec, replaced, ports, options), output, events)


def _existing(name: str, uri: str | None, events: RunEvents) -> tuple[ClusterSpec, Ports]:
    spec = load_spec(None, Flags(name=str(cluster_name(name)), hypervisor=uri))
    return spec, open_cluster(spec.name, spec.hypervisor_uri, events=events)


def _as_text(result: RemovalResult) -> str:
    lines = map(check_line, result.checks)
    nodes = ", ".join(node.name for node in result.plan.nodes)
    removed = ", ".join(result.removed)
    last = f"Removed {removed}. Cluster '{result.plan.name}' is verified: {nodes}."
    return "\n".join([*lines, last])
