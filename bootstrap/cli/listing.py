"""`bootstrap list`."""

import click

from bootstrap.cli import wiring
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, table, write
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.spec import NodeRole


@click.command(name="list")
@hypervisor_option
@output_option
def list_clusters(hypervisor_uri: str | None, output: str) -> None:
    """List the clusters of this user, as libvirt knows them."""
    site = wiring.find_site(hypervisor_uri)
    clusters: dict[str, list[Domain]] = {}
    for domain in wiring.build_hypervisor(site).domains():
        clusters.setdefault(str(domain.mark.cluster), []).append(domain)
    rows = [_row(name, domains) for name, domains in sorted(clusters.items())]
    header = ["NAME", "CONTROL PLANES", "WORKERS", "RUNNING", "CREATED"]
    text = table(header, [list(row.values()) for row in rows]) if rows else "No cluster exists."
    write(output, rows, text=text, names=sorted(clusters))


def _row(name: str, domains: list[Domain]) -> dict[str, object]:
    planes = [domain for domain in domains if domain.mark.role is NodeRole.CONTROL_PLANE]
    running = sum(domain.state is DomainState.RUNNING for domain in domains)
    return {
        "name": name,
        "controlPlanes": len(planes),
        "workers": len(domains) - len(planes),
        "running": f"{running}/{len(domains)}",
        "created": min(domain.mark.created for domain in domains),
    }
