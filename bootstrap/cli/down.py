"""`bootstrap down`."""

from collections.abc import Iterator, Sequence
from functools import partial

import click

from bootstrap.cli import wiring
from bootstrap.cli.console import StepProgress
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.output import output_option, write
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.down import DownResult, Failures
from bootstrap.workflow.down import down as run_down
from bootstrap.workflow.environment import Ports


@click.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="All clusters of this user at this libvirt.")
@hypervisor_option
@output_option
def down(name: str | None, hypervisor_uri: str | None, output: str, *, every: bool) -> None:
    """Remove everything of a cluster: machines, disks, files and kubeconfig entries.

    Needs no local state; run again, it finds nothing and exits with 0. With --all, one
    cluster that cannot be removed keeps no other.
    """
    if (name is None) is not every:
        raise UsageError("Name a cluster, or say --all.", hint="bootstrap list")
    chosen = None if name is None else wiring.cluster_name(name)
    site = wiring.find_site(hypervisor_uri, chosen)
    progress = StepProgress()
    failures, results = Failures(), []
    for cluster in [chosen] if chosen else _all_clusters(site, progress):
        result = failures.collect(partial(_remove, cluster, site, progress))
        results += [(cluster, result)] if result else []
    if results or not failures.errors:
        _tell(results, output)
    failures.raise_together("Not every cluster was removed.", hint="bootstrap down --all")


def _remove(cluster: ClusterName, site: wiring.Site, progress: StepProgress) -> DownResult:
    with wiring.cluster_lock(site, cluster):
        return run_down(cluster, wiring.build_ports(site, cluster, progress))


def _tell(results: Sequence[tuple[ClusterName, DownResult]], output: str) -> None:
    text = "\n".join(_as_text(cluster, result) for cluster, result in results)
    data = [_as_data(cluster, result) for cluster, result in results]
    write(output, data, text=text or "No cluster exists.", names=[str(c) for c, _ in results])


def _all_clusters(site: wiring.Site, progress: StepProgress) -> list[ClusterName]:
    ports = wiring.build_ports(site, ClusterName("all"), progress)
    found = {domain.mark.cluster for domain in ports.hypervisor.domains()}
    return sorted(found | set(ports.volumes.clusters()) | set(_with_files(site, ports)))


def _with_files(site: wiring.Site, ports: Ports) -> Iterator[ClusterName]:
    for cluster in ports.products.clusters():
        # Elsewhere are the machines that need them.
        at = wiring.recorded_uri(site.directories, site.install_id, cluster)
        if at in (None, site.hypervisor_uri):
            yield cluster


def _as_text(cluster: ClusterName, result: DownResult) -> str:
    removed = [*(f"domain '{name}'" for name in result.domains)]
    removed += ["volumes"] if result.volumes else []
    removed += ["local files"] if result.state else []
    what = ", ".join(removed) or "nothing was left of it"
    kept = "".join(f"\nkept, since you changed it: {entry}" for entry in result.kept)
    return f"Cluster '{cluster}' is removed: {what}.{kept}"


def _as_data(cluster: ClusterName, result: DownResult) -> dict[str, object]:
    return {
        "name": str(cluster),
        "domains": list(result.domains),
        "volumes": result.volumes,
        "state": result.state,
        "kept": list(result.kept),
    }
