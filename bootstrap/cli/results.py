"""Write the results of the commands that end with a verified cluster."""

from __future__ import annotations  # the results are imported for type checks only

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from bootstrap.cli.output import checks_data, write
from bootstrap.cli.reporting import chosen_display
from bootstrap.model.events import Display
from bootstrap.model.spec import NodeRole
from bootstrap.ports import CheckResult, RunEvents

if TYPE_CHECKING:
    from bootstrap.api.results import RestResult, UpResult


def write_verified(result: UpResult, output: str, events: RunEvents) -> None:
    """Write the result of `up` and of what ends like it."""
    data = _as_data(result, events.seconds_by_step())
    names = [str(result.plan.name)]
    write(output, data, text=_as_text(result), names=names, events=events)


def tell_what_next(result: UpResult, output: str, events: RunEvents) -> None:
    """Write the commands that a user of a new cluster types next on stderr, unless it is quiet."""
    if output != "text" or events.is_on_stdout or chosen_display() is Display.NONE:
        return
    name, plane = result.plan.name, result.plan.nodes[0].name
    commands = {
        f"export KUBECONFIG={shlex.quote(str(result.kubeconfig))}": "then kubectl as usual",
        f"bootstrap kubectl {name} -- get nodes": "where no kubectl is installed",
        f"bootstrap ssh {name} {plane}": "log in on a node",
        f"bootstrap down {name}": "remove all of it",
    }
    width = max(map(len, commands))
    lines = [f"  {command:{width}}  # {use}" for command, use in commands.items()]
    click.echo("\n".join(["", "What to type next:", *lines]), err=True)


def write_all_verified(results: Sequence[UpResult], output: str, events: RunEvents) -> None:
    """Write the results of several clusters."""
    data = [_as_data(result, events.seconds_by_step()) for result in results]
    text = "\n".join(map(_as_text, results)) or "No cluster exists."
    names = [str(result.plan.name) for result in results]
    write(output, data, text=text, names=names, events=events)


def write_rest(cluster: str, done: str, result: RestResult, output: str, events: RunEvents) -> None:
    """Write the result of `stop` and `suspend`; ``done`` is what happened to the nodes."""
    data = {
        "name": cluster,
        done: list(result.changed),
        "verified": bool(result.checks),
        "checks": checks_data(result.checks),
    }
    lines = _passed(result.checks)
    nodes = ", ".join(result.changed)
    lines.append(f"Cluster '{cluster}': {done} {nodes}." if nodes else "Nothing had to be changed.")
    if result.checks:
        lines.append("The nodes that still run are verified.")
    write(output, data, text="\n".join(lines), names=result.changed, events=events)


def _as_text(result: UpResult) -> str:
    plan = result.plan
    planes = _count(len(plan.control_planes), "control plane")
    nodes = f"{planes}, {_count(len(plan.workers), 'worker')}"
    how = f"Kubernetes {plan.kubernetes_version}, {plan.acceleration.value}"
    if older := sorted({it.kubelet_version for it in plan.nodes} - {plan.kubernetes_version}):
        how = f"{how}, kubelets of workers {', '.join(older)}"
    lines = _passed(result.checks)
    lines.append(f"Cluster '{plan.name}' is verified: {nodes}, {how}, changed={result.changed}.")
    return "\n".join(lines)


def _passed(checks: Sequence[CheckResult]) -> list[str]:
    return [f"ok  {check.name}: {check.evidence}" for check in checks]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_data(result: UpResult, seconds: Mapping[str, float]) -> dict[str, object]:
    plan = result.plan
    return {
        "name": str(plan.name),
        "verified": True,
        "changed": result.changed,
        "acceleration": plan.acceleration.value,
        "server": plan.server,
        "kubeconfig": str(result.kubeconfig),
        "mergedInto": str(result.merged_into),
        "nodes": [
            {
                "name": node.name,
                "role": node.role.value,
                "address": str(node.address),
                "kubeletVersion": node.kubelet_version,
            }
            for role in NodeRole
            for node in plan.nodes
            if node.role is role
        ],
        "checks": checks_data(result.checks),
        "secondsByStep": dict(seconds),
    }
