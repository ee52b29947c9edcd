"""`bootstrap logs`."""

import click

from bootstrap.adapters.terminal import without_control_codes
from bootstrap.cli import wiring
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.errors import NotFoundError, UsageError
from bootstrap.model.cluster import Domain


@click.command()
@click.argument("name")
@click.argument("node", required=False)
@click.option("--console", is_flag=True, help="Print what the node wrote to its console.")
@hypervisor_option
@output_option
def logs(
    name: str, node: str | None, hypervisor_uri: str | None, output: str, *, console: bool
) -> None:
    """Collect consoles and journals into a folder, or print a node's console."""
    cluster = wiring.cluster_name(name)
    site = wiring.find_site(hypervisor_uri, cluster)
    domains = wiring.existing_domains(site, cluster)
    if console:
        if node is None:
            raise UsageError("Name the node.", hint=f"bootstrap status {name}")
        click.echo(_console(wiring.node_of(domains, node)), nl=False)
        return
    chosen = [wiring.node_of(domains, node)] if node else domains
    products, shell = wiring.build_products(site, cluster), wiring.build_shell(site, cluster)
    place = products.collect_evidence(cluster, chosen, shell)
    write(output, {"directory": str(place)}, text=str(place), names=[str(place)])


def _console(domain: Domain) -> str:
    path = domain.mark.directory / "console.log"
    try:
        return without_control_codes(path.read_text(errors="replace"))
    except OSError as error:
        raise NotFoundError(
            f"Could not read the console of node '{domain.name}'.",
            details=str(error),
            hint=f"bootstrap status {domain.mark.cluster}",
        ) from error
