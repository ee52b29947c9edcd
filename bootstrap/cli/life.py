"""`bootstrap stop`, `start`, `reboot`, `suspend` and `resume`."""

from __future__ import annotations  # the results are imported for type checks only

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bootstrap.api import Cluster
from bootstrap.cli.context import client, cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import write_all_verified, write_rest, write_verified
from bootstrap.errors import UsageError
from bootstrap.ports import RunEvents

if TYPE_CHECKING:
    from bootstrap.api.results import RestResult, UpResult


def _nodes_of_a_cluster(command: Callable[..., None], name: str, text: str) -> click.Command:
    """Make a command of a function, with what all of these commands take."""
    command = output_option(hypervisor_option(reporting_options(command)))
    nodes = click.argument("nodes", nargs=-1, metavar="[NODE]...")
    named = click.argument("name", required=False)(nodes(command))
    return click.command(name, help=inspect.cleandoc(text))(named)


def _rest(verb: Callable[..., RestResult], done: str, text: str) -> click.Command:
    """Return a command after which nodes rest; ``done`` is what happened to them."""

    def command(
        name: str | None,
        nodes: tuple[str, ...],
        hypervisor_uri: str | None,
        output: str,
        events: RunEvents,
    ) -> None:
        named = cluster(name, hypervisor_uri, events=events)
        write_rest(named.name, done, verb(named, *nodes), output, events)

    return _nodes_of_a_cluster(command, verb.__name__, text)


def _verified(verb: Callable[..., UpResult], text: str) -> click.Command:
    """Return a command that ends with a verified cluster."""

    def command(
        name: str | None,
        nodes: tuple[str, ...],
        hypervisor_uri: str | None,
        output: str,
        events: RunEvents,
    ) -> None:
        named = cluster(name, hypervisor_uri, events=events)
        write_verified(verb(named, *nodes), output, events)

    return _nodes_of_a_cluster(command, verb.__name__, text)


stop = _rest(
    Cluster.stop,
    "stopped",
    """Shut down a cluster, or some of its nodes; `start` brings them back.

    Workers go first. A node that does not shut down in time loses its power. Without NAME, the
    only cluster is meant.
    """,
)
suspend = _rest(
    Cluster.suspend,
    "suspended",
    "Freeze a cluster, or some of its nodes, in memory; `resume` lets them go on.",
)
resume = _verified(
    Cluster.resume, "Let suspended nodes go on, set their clocks, and verify the cluster."
)
reboot = _verified(
    Cluster.reboot,
    "Shut down a cluster, or some of its nodes, start them again, and verify the cluster.",
)


@click.option("--all", "every", is_flag=True, help="All clusters of this user at this libvirt.")
def _start(  # noqa: PLR0913 - one argument for each option
    name: str | None,
    nodes: tuple[str, ...],
    hypervisor_uri: str | None,
    output: str,
    *,
    every: bool,
    events: RunEvents,
) -> None:
    if not every:
        result = cluster(name, hypervisor_uri, events=events).start(*nodes)
        write_verified(result, output, events)
        return
    if name is not None:
        raise UsageError("Name a cluster, or say --all.", hint="bootstrap list")
    results, failures = client(hypervisor_uri, events=events).start_all()
    if results or not failures.errors:
        write_all_verified(list(results.values()), output, events)
    failures.raise_together("Not every cluster was started.", hint="bootstrap start --all")


start = _nodes_of_a_cluster(
    _start,
    "start",
    """Start a cluster, or some of its nodes, and verify it; after a power cut, too.

    What is stopped is started, what is suspended goes on, and clocks are set. With --all, a
    cluster that does not start keeps no other from it.
    """,
)
