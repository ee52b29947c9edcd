"""`bootstrap stop`, `start`, `reboot`, `suspend` and `resume`."""

import inspect
from collections.abc import Callable, Collection

import click

from bootstrap.cli.context import existing_cluster, open_cluster, open_site
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.results import write_all_verified, write_rest, write_verified
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import RunEvents
from bootstrap.workflow import start as starting
from bootstrap.workflow import stop as stopping
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.listing import list_clusters
from bootstrap.workflow.stop import RestResult
from bootstrap.workflow.up import UpResult

#: A function of the workflow that takes a cluster's nodes.
Verb = Callable[[ClusterSpec, Collection[str], Ports], UpResult]
RestVerb = Callable[[ClusterName, Collection[str], Ports], RestResult]


def _nodes_of_a_cluster(command: Callable[..., None], name: str, text: str) -> click.Command:
    """Make a command of a function, with what all of these commands take."""
    command = output_option(hypervisor_option(reporting_options(command)))
    nodes = click.argument("nodes", nargs=-1, metavar="[NODE]...")
    named = click.argument("name", required=False)(nodes(command))
    return click.command(name, help=inspect.cleandoc(text))(named)


def _rest(verb: RestVerb, done: str, text: str) -> click.Command:
    """Return a command after which nodes rest; ``done`` is what happened to them."""

    def command(
        name: str | None,
        nodes: tuple[str, ...],
        hypervisor_uri: str | None,
        output: str,
        events: RunEvents,
    ) -> None:
        cluster = existing_cluster(name, hypervisor_uri)
        result = verb(cluster, nodes, open_cluster(cluster, hypervisor_uri, events=events))
        write_rest(cluster, done, result, output, events)

    return _nodes_of_a_cluster(command, verb.__name__, text)


def _verified(verb: Verb, text: str) -> click.Command:
    """Return a command that ends with a verified cluster."""

    def command(
        name: str | None,
        nodes: tuple[str, ...],
        hypervisor_uri: str | None,
        output: str,
        events: RunEvents,
    ) -> None:
        write_verified(_run(verb, name, nodes, hypervisor_uri, events), output, events)

    return _nodes_of_a_cluster(command, verb.__name__, text)


stop = _rest(
    stopping.stop,
    "stopped",
    """Shut down a cluster, or some of its nodes; `start` brings them back.

    Workers go first. A node that does not shut down in time loses its power. Without NAME, the
    only cluster is meant.
    """,
)
suspend = _rest(
    stopping.suspend,
    "suspended",
    "Freeze a cluster, or some of its nodes, in memory; `resume` lets them go on.",
)
resume = _verified(
    starting.resume, "Let suspended nodes go on, set their clocks, and verify the cluster."
)
reboot = _verified(
    starting.reboot,
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
        result = _run(starting.start, name, nodes, hypervisor_uri, events)
        write_verified(result, output, events)
        return
    if name is not None:
        raise UsageError("Name a cluster, or say --all.", hint="bootstrap list")
    ports = open_site(hypervisor_uri, events=events)
    specs = {found.name: _spec(found.name) for found in list_clusters(ports)}
    results, failures = starting.start_all(specs, ports)
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


def _run(
    verb: Verb,
    name: str | None,
    nodes: Collection[str],
    uri: str | None,
    events: RunEvents,
) -> UpResult:
    cluster = existing_cluster(name, uri)
    return verb(_spec(cluster), nodes, open_cluster(cluster, uri, events=events))


def _spec(cluster: ClusterName) -> ClusterSpec:
    """Return a spec in which only the name counts: a cluster keeps what it has."""
    return load_spec(None, Flags(name=str(cluster)))
