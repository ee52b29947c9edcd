"""`bootstrap status`."""

from __future__ import annotations  # the results are imported for type checks only

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.pictures import format_of, picture_option, write_topology
from bootstrap.errors import UsageError
from bootstrap.model.cluster import ClusterState
from bootstrap.pictures.clusters.observed import observed_topology
from bootstrap.pictures.clusters.topology import Topology

if TYPE_CHECKING:
    from bootstrap.api.results import ClusterStatus, NodeStatus

#: What `--exit-code` ends with.
EXIT_CODES = {
    ClusterState.RUNNING: 0,
    ClusterState.SICK: 8,
    ClusterState.STOPPED: 10,
    ClusterState.SUSPENDED: 11,
    ClusterState.PARTLY_STOPPED: 12,
}


@click.command()
@click.argument("name", required=False)
@hypervisor_option
@click.option(
    "--exit-code",
    "in_exit_code",
    is_flag=True,
    help="Exit with 0 if it runs well, 8 if it is sick, 10 stopped, 11 suspended, 12 partly.",
)
@picture_option
@click.option("--watch", "is_watching", is_flag=True, help="As `top`: draw it again and again.")
@output_option
@click.pass_context
def status(  # noqa: PLR0913 - one argument for each option
    ctx: click.Context,
    name: str | None,
    hypervisor_uri: str | None,
    picture: Path | None,
    output: str,
    *,
    in_exit_code: bool,
    is_watching: bool,
) -> None:
    """Show each node as libvirt and as the API server see it, and the certificate's end.

    Without NAME, the only cluster is meant.
    """
    if is_watching:
        _refuse_others(output, others=in_exit_code or picture is not None)
        from bootstrap.cli.watch import watch  # noqa: PLC0415 - takes time to load

        watch(name, hypervisor_uri)
        return
    named = cluster(name, hypervisor_uri)
    name = named.name
    kind = picture and format_of(picture, hint=f"bootstrap status {name} --picture status.svg")
    found = named.status()
    if picture and kind:
        write_topology(picture, kind, _topology(found))
    nodes = [_node(node) for node in found.nodes]
    ends = found.certificate_ends
    data = {
        "name": name,
        "state": found.state.value,
        "kubeconfig": str(found.kubeconfig) if found.kubeconfig else None,
        "api": found.api,
        "certificateEnds": ends.isoformat() if ends else None,
        "nodes": nodes,
    }
    rows = [list(node.values()) for node in nodes]
    lines = [
        table(["NODE", "ROLE", "DOMAIN", "KUBERNETES", "KUBELET", "ADDRESS", "SSH PORT"], rows)
    ]
    lines += [f"cluster: {found.state.value}", f"api: {found.api}"]
    if ends:
        lines.append(f"certificate ends: {ends.isoformat()}")
    if not found.kubeconfig:
        lines.append(f"The local files are lost; 'bootstrap down {name}' still works.")
    write(output, data, text="\n".join(lines), names=[node.domain.name for node in found.nodes])
    if in_exit_code:
        ctx.exit(EXIT_CODES[found.state])


def _topology(found: ClusterStatus) -> Topology:
    return observed_topology(
        found.nodes[0].domain.mark.cluster,
        [(node.domain, node.kubernetes) for node in found.nodes],
        found.switch,
        hypervisor=found.hypervisor,
        state=f"{found.state.value}; API server: {found.api}",
    )


def _refuse_others(output: str, *, others: bool) -> None:
    if output != "text" or others:
        raise UsageError(
            "Option --watch takes neither -o nor --exit-code nor --picture.",
            hint="bootstrap status --help",
        )


def _node(node: NodeStatus) -> dict[str, object]:
    domain = node.domain
    state = f"{domain.state.value} ({domain.reason})" if domain.reason else domain.state.value
    return {
        "name": domain.name,
        "role": domain.mark.role.value if domain.mark.role else "",
        "domain": state,
        "kubernetes": node.kubernetes,
        "kubeletVersion": domain.kubelet_version,
        "address": domain.mark.facts.get("address", ""),
        "sshPort": domain.mark.ports.get("ssh", 0),
    }
