"""`bootstrap plan`."""

from collections.abc import Mapping
from pathlib import Path

import click

from bootstrap.api import Cluster, ClusterOptions
from bootstrap.cli.context import client
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.pictures import format_of, picture_option, write_topology
from bootstrap.cli.spec_options import spec_options
from bootstrap.pictures.clusters.planned import planned_topology
from bootstrap.planning.document import plan_document


@click.command()
@spec_options
@picture_option
@output_option
def plan(  # noqa: PLR0913 - one argument for each option
    *,
    name: str | None,
    hypervisor: str | None,
    file: Path | None,
    options: ClusterOptions,
    picture: Path | None,
    output: str,
) -> None:
    """Show what `up` would make, and mark what exists; changes no cluster."""
    kind = picture and format_of(picture, hint="bootstrap plan --picture plan.svg")
    made = Cluster.plan(name, file=file, client=client(hypervisor), **options)
    if picture and kind:
        write_topology(picture, kind, planned_topology(made.plan, made.existing))
    data = plan_document(made.plan, exists=made.existing)
    write(output, data, text=_as_text(data), names=[node.name for node in made.plan.nodes])


def _as_text(data: Mapping[str, object]) -> str:
    nodes, security = data["nodes"], data["security"]
    assert isinstance(nodes, list)  # noqa: S101 - plan_document writes it so
    assert isinstance(security, dict)  # noqa: S101 - likewise
    rows = [
        [
            "=" if node["exists"] else "+",
            node["name"],
            node["role"],
            f"{node['cpus']} cpus",
            f"{node['memoryMiB']} MiB",
            node["kubeletVersion"],
            node["address"],
            node["podSubnet"],
            f"ssh 127.0.0.1:{node['sshPort']}",
        ]
        for node in nodes
    ]
    head = [
        f"cluster {data['name']}: Kubernetes {data['kubernetesVersion']}, {data['acceleration']}",
        f"at {data['hypervisor']}; API server at {data['server']}",
        f"security profile {security['profile']}",
    ]
    return "\n".join(
        [*head, table(["", "NODE", "ROLE", "", "", "KUBELET", "ADDRESS", "PODS", ""], rows)]
    )
