"""`bootstrap status`."""

from collections.abc import Mapping
from pathlib import Path

import click

from bootstrap.cli import wiring
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, table, write
from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain
from bootstrap.waiting import NotYet


@click.command()
@click.argument("name")
@hypervisor_option
@output_option
def status(name: str, hypervisor_uri: str | None, output: str) -> None:
    """Show each node as libvirt and as the API server see it, and the certificate's end."""
    cluster = wiring.cluster_name(name)
    site = wiring.find_site(hypervisor_uri, cluster)
    domains = wiring.existing_domains(site, cluster)
    kubeconfig = site.directories.cluster_state(cluster) / "kubeconfig"
    answers, reason = _ask(kubeconfig)
    nodes = [_node(domain, answers, reason) for domain in domains]
    data = {
        "name": name,
        "kubeconfig": str(kubeconfig) if kubeconfig.exists() else None,
        "api": reason or "ok",
        "certificateEnds": _certificate_end(kubeconfig),
        "nodes": nodes,
    }
    rows = [list(node.values()) for node in nodes]
    lines = [table(["NODE", "ROLE", "DOMAIN", "KUBERNETES", "ADDRESS", "SSH PORT"], rows)]
    lines.append(f"api: {data['api']}")
    if data["certificateEnds"]:
        lines.append(f"certificate ends: {data['certificateEnds']}")
    if not kubeconfig.exists():
        lines.append(f"The local files are lost; 'bootstrap down {name}' still works.")
    write(output, data, text="\n".join(lines), names=[domain.name for domain in domains])


def _ask(kubeconfig: Path) -> tuple[Mapping[str, str], str]:
    if not kubeconfig.exists():
        return {}, "no kubeconfig yet"
    try:
        return wiring.build_api().joined_nodes(kubeconfig), ""
    except NotYet as error:
        return {}, f"does not answer: {error}"
    except BootstrapError as error:
        return {}, f"{error.message} {error.details}".strip()


def _certificate_end(kubeconfig: Path) -> str | None:
    if not kubeconfig.exists():
        return None
    try:
        return wiring.build_api().certificate_expiry(kubeconfig).client.isoformat()
    except (BootstrapError, NotYet):
        return None


def _node(domain: Domain, answers: Mapping[str, str], reason: str) -> dict[str, object]:
    state = f"{domain.state.value} ({domain.reason})" if domain.reason else domain.state.value
    return {
        "name": domain.name,
        "role": domain.mark.role.value,
        "domain": state,
        "kubernetes": answers.get(domain.name, "unknown" if reason else "not joined"),
        "address": domain.mark.facts.get("address", ""),
        "sshPort": domain.mark.ports.get("ssh", 0),
    }
