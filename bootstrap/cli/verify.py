"""`bootstrap verify`."""

import click

from bootstrap.cli import wiring
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.cli.products import product
from bootstrap.model.plan import Acceleration
from bootstrap.ports import ExpectedNode
from bootstrap.workflow.shape import known_acceleration
from bootstrap.workflow.verdict import check_line, refuse_failed


@click.command()
@click.argument("name")
@hypervisor_option
@output_option
def verify(name: str, hypervisor_uri: str | None, output: str) -> None:
    """Repeat the checks of `up`, each with its evidence; exit code 8 if one fails."""
    cluster = wiring.cluster_name(name)
    site = wiring.find_site(hypervisor_uri, cluster)
    domains = wiring.existing_domains(site, cluster)
    kubeconfig = product(site, cluster, "kubeconfig")
    nodes = [
        ExpectedNode(name=domain.name, address=domain.mark.facts.get("address", ""))
        for domain in domains
    ]
    acceleration = known_acceleration(domains) or Acceleration.KVM
    checks = wiring.build_api().verify(kubeconfig, nodes, patience=acceleration.patience)
    data = [{"name": check.name, "ok": check.ok, "evidence": check.evidence} for check in checks]
    text = "\n".join(map(check_line, checks))
    write(output, data, text=text, names=[check.name for check in checks if check.ok])
    refuse_failed(cluster, checks, hint=f"bootstrap logs {name}")
