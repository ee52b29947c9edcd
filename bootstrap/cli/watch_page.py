"""Draw a moment of a cluster as a page of text."""

from __future__ import annotations  # the results are imported for type checks only

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bootstrap.model.cluster import ClusterState, DomainState
from bootstrap.terminal import one_line

if TYPE_CHECKING:
    from bootstrap.api.results import Moment, NodeMoment

_MIB = 1024**2
_NOTHING = "-"
_ANY = 10**6
_NUMBERS = ("PODS", "CPU", "MEM", "MEMORY", "HOST CPU", "HOST MEMORY")
_STATE_STYLES = {
    ClusterState.RUNNING: "bold green",
    ClusterState.SICK: "bold red",
}
_WELL = ("Running", "Completed", "Succeeded")


def page(moment: Moment, width: int, *, interval_s: float, now: datetime | None = None) -> str:
    """Return the page for a terminal of so many columns, with its styles."""
    now = now or datetime.now(UTC)
    # Of a terminal: the caller has made sure that it is one. NO_COLOR is respected.
    console = Console(file=io.StringIO(), width=width, force_terminal=True, highlight=False)
    with console.capture() as captured:
        console.print(
            Group(_head(moment, now), Text(), _nodes(moment, width), Text(), *_facts(moment, now)),
            Text(f"Every {interval_s:.0f} s; q ends it.", style="dim"),
            no_wrap=True,
            overflow="ellipsis",
            sep="\n",
        )
    return captured.get()


def _head(moment: Moment, now: datetime) -> Text:
    found = moment.status
    name = found.nodes[0].domain.mark.cluster
    state = (found.state.value, _STATE_STYLES.get(found.state, "bold yellow"))
    at = now.astimezone().strftime("%H:%M:%S")
    api = ("ok", "green") if found.api == "ok" else (one_line(found.api), "red")
    return Text.assemble((f"Cluster {name}  ", "bold"), state, f"  {at}  API server: ", api)


def _nodes(moment: Moment, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    columns = {
        name: cell for name, (least, below, cell) in _COLUMNS.items() if least <= width < below
    }
    for name in columns:
        is_number = name in _NUMBERS
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for node in moment.nodes:
        table.add_row(*(cell(node) for cell in columns.values()))
    return table


def _facts(moment: Moment, now: datetime) -> list[Text]:
    pods = Text("pods: ")
    for number, (state, count) in enumerate(moment.pods.items()):
        style = "" if state in _WELL else "yellow"
        pods.append(", " if number else "").append(f"{count} {one_line(state)}", style=style)
    lines = [pods if moment.pods else Text("pods: none known")]
    if ends := moment.status.certificate_ends:
        days = (ends - now).days
        style = "red" if days < 30 else ""  # noqa: PLR2004 - a month
        lines.append(Text(f"certificate ends: {ends:%Y-%m-%d}, in {days} days", style=style))
    lines.append(Text(f"snapshots: {', '.join(moment.snapshots) or 'none'}"))
    return lines


def _domain(node: NodeMoment) -> Text:
    domain = node.status.domain
    style = "green" if domain.state is DomainState.RUNNING else "yellow"
    return Text(domain.state.value, style=style)


def _kubernetes(node: NodeMoment) -> Text:
    # A guest may write anything into its reason (SEC-15).
    text = one_line(node.status.kubernetes)
    return Text(text, style="green" if text == "Ready" else "red")


def _cpus(cpus: float | None) -> str:
    return _NOTHING if cpus is None else f"{cpus:.2f}"


def _used_memory(node: NodeMoment) -> str:
    if node.use is None:
        return _NOTHING
    return f"{node.use.memory_bytes // _MIB} of {_mib(node.status.domain.memory_mib)}"


def _share_of_memory(node: NodeMoment) -> str:
    if node.use is None:
        return _NOTHING
    return f"{node.use.memory_bytes / _MIB / node.status.domain.memory_mib:.0%}"


def _mib(mib: int | None) -> str:
    return _NOTHING if mib is None else f"{mib} MiB"


#: From which width on a column is there, below which, and its cells.
_COLUMNS: Mapping[str, tuple[int, int, Callable[[NodeMoment], Text]]] = {
    "NODE": (0, _ANY, lambda node: Text(node.status.domain.name, style="bold")),
    "DOMAIN": (60, _ANY, _domain),
    "KUBERNETES": (0, _ANY, _kubernetes),
    "PODS": (50, _ANY, lambda node: Text(str(node.pods))),
    "CPU": (0, _ANY, lambda node: Text(_cpus(node.use.cpus if node.use else None))),
    "MEM": (0, 60, lambda node: Text(_share_of_memory(node))),
    "MEMORY": (60, _ANY, lambda node: Text(_used_memory(node))),
    "HOST CPU": (75, _ANY, lambda node: Text(_cpus(node.host_cpus))),
    "HOST MEMORY": (88, _ANY, lambda node: Text(_mib(node.host_memory_mib))),
}
