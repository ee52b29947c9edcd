"""`bootstrap plan`."""

from collections.abc import Mapping
from pathlib import Path

import click

from bootstrap.cli import wiring
from bootstrap.cli.options import spec_options
from bootstrap.cli.output import output_option, table, write
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.planning.document import plan_document
from bootstrap.workflow.keeping import fitted
from bootstrap.workflow.shape import known_acceleration, plan_cluster


@click.command()
@spec_options
@output_option
def plan(*, file: Path | None, flags: Flags, output: str) -> None:
    """Show what `up` would make, with what exists marked; changes nothing."""
    spec = load_spec(file, flags)
    site = wiring.find_site(spec.hypervisor_uri, spec.name)
    ports = wiring.build_planning_ports(site)
    existing = ports.hypervisor.domains(spec.name)
    named = flags.named(file)
    spec = fitted(spec, existing, workers_named=flags.name_workers(file), named=named)
    made = plan_cluster(
        spec,
        wiring.build_setting(site, spec.name),
        ports.hypervisor,
        ports.is_port_free,
        existing=existing,
        acceleration=known_acceleration(existing) or ports.acceleration(),
    )
    data = plan_document(made, exists={domain.name for domain in existing})
    write(output, data, text=_as_text(data), names=[node.name for node in made.nodes])


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
    return "\n".join([*head, table(["", "NODE", "ROLE", "", "", "ADDRESS", "PODS", ""], rows)])
