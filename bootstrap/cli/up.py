"""`bootstrap up`."""

import shlex
from pathlib import Path

import click

from bootstrap.cli import wiring
from bootstrap.cli.console import StepProgress
from bootstrap.cli.options import spec_options
from bootstrap.cli.output import output_option, write
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.spec import NodeRole
from bootstrap.workflow.up import UpOptions, UpResult
from bootstrap.workflow.up import up as run_up


@click.command()
@spec_options
@click.option("--keep", is_flag=True, help="Keep the machines when the run fails.")
@click.option("--use", is_flag=True, help="Make the cluster kubectl's current context.")
@click.option("--allow-overcommit", is_flag=True, help="Do not mind too little memory.")
@output_option
def up(  # noqa: PLR0913 - one argument for each option
    *, file: Path | None, flags: Flags, keep: bool, use: bool, allow_overcommit: bool, output: str
) -> None:
    """Make a cluster exist, prove it, and write its kubeconfig.

    Run again, it goes on from where it is; a cluster that is as wanted is only verified.
    """
    spec = load_spec(file, flags)
    site = wiring.find_site(spec.hypervisor_uri, spec.name)
    progress = StepProgress()
    options = UpOptions(
        workers_named=flags.name_workers(file),
        named=flags.named(file),
        allow_overcommit=allow_overcommit,
        keep=keep,
        use=use,
    )
    with wiring.cluster_lock(site, spec.name):
        ports = wiring.build_ports(site, spec.name, progress)
        result = run_up(spec, wiring.build_setting(site, spec.name), ports, options)
    progress.finish()
    data = _as_data(result, progress.timings)
    write(output, data, text=_as_text(result), names=[str(spec.name)])


def _as_text(result: UpResult) -> str:
    plan = result.plan
    planes = _count(len(plan.control_planes), "control plane")
    nodes = f"{planes}, {_count(len(plan.workers), 'worker')}"
    how = f"Kubernetes {plan.kubernetes_version}, {plan.acceleration.value}"
    lines = [f"ok  {check.name}: {check.evidence}" for check in result.checks]
    lines.append(f"Cluster '{plan.name}' is verified: {nodes}, {how}, changed={result.changed}.")
    lines.append(f"kubectl --kubeconfig {shlex.quote(str(result.kubeconfig))} get nodes")
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _as_data(result: UpResult, timings: dict[str, float]) -> dict[str, object]:
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
            {"name": node.name, "role": node.role.value, "address": str(node.address)}
            for role in NodeRole
            for node in plan.nodes
            if node.role is role
        ],
        "checks": [
            {"name": check.name, "ok": check.ok, "evidence": check.evidence}
            for check in result.checks
        ],
        "secondsByStep": {title: round(seconds, 1) for title, seconds in timings.items()},
    }
