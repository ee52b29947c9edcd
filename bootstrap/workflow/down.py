"""What `down` does: everything of a cluster goes, whatever is missing already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.workflow.environment import Ports, SitePorts
from bootstrap.workflow.steps.files import restore_markers

T = TypeVar("T")

#: A domain that is defined again during its removal is removed again, twice.
_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DownResult:
    """What was removed, by kind, and what stays because the user changed it."""

    domains: tuple[str, ...]
    volumes: bool
    state: bool
    kept: tuple[str, ...]
    #: The snapshots of the cluster, which stay unless they were to go as well.
    snapshots: tuple[str, ...] = ()


def down(cluster: ClusterName, ports: Ports, *, with_snapshots: bool = False) -> DownResult:
    """Remove the cluster; needs no state, and goes on after a failure.

    :raises BootstrapError: one error with everything that is left, and why.
    :raises LockedError: if another run works on the cluster.
    """
    with ports.lock(), ports.events.step(Step.REMOVE, f"Removing cluster '{cluster}'"):
        return _remove_everything(cluster, ports, with_snapshots=with_snapshots)


def down_all(
    ports: SitePorts, *, with_snapshots: bool = False
) -> tuple[Mapping[ClusterName, DownResult], "Failures"]:
    """Remove every cluster of the site; one that cannot be removed keeps no other.

    Return what was removed of each cluster, and the failures of the others.
    """
    found = {domain.mark.cluster for domain in ports.hypervisor.domains()}
    found |= {*ports.volumes.clusters(), *ports.clusters_with_files()}
    failures, results = Failures(), {}
    for cluster in sorted(found):
        result = failures.collect(
            partial(down, cluster, ports.cluster(cluster), with_snapshots=with_snapshots)
        )
        if result:
            results[cluster] = result
    return results, failures


def _remove_everything(cluster: ClusterName, ports: Ports, *, with_snapshots: bool) -> DownResult:
    failures = Failures()
    domains = _remove_domains(cluster, ports, failures)
    volumes = _remove_volumes(cluster, ports, failures)
    kept = failures.collect(lambda: ports.kubeconfig.remove_entries(cluster))
    state = False
    # While something is left, the keys stay: they may be needed to look at it.
    if not failures.errors:
        state = bool(failures.collect(lambda: ports.files.remove_files(cluster)))
    failures.collect(ports.images.sweep)
    failures.collect(lambda: ports.snapshots.sweep(cluster))
    if with_snapshots:
        failures.collect(lambda: ports.snapshots.delete_all(cluster))
    snapshots = failures.collect(lambda: ports.snapshots.names(cluster))
    _raise(failures, cluster)
    return DownResult(
        domains=tuple(domains),
        volumes=volumes,
        state=state,
        kept=tuple(kept or ()),
        snapshots=tuple(map(str, snapshots or ())),
    )


def remove_machines(cluster: ClusterName, ports: Ports) -> None:
    """Remove domains and volumes only; the files for the user stay.

    :raises BootstrapError: one error with everything that is left.
    """
    failures = Failures()
    _remove_domains(cluster, ports, failures)
    _remove_volumes(cluster, ports, failures)
    _raise(failures, cluster)


def report_removal(cluster: ClusterName, ports: Ports) -> str:
    """Remove the machines of a failed run, and say so; whatever fails here hides no error."""
    try:
        with ports.events.step(Step.REMOVE, "Removing the machines"):
            remove_machines(cluster, ports)
    except BootstrapError as error:
        return f"The machines were not removed: {error.summary}"
    return "The machines were removed."


def _remove_domains(cluster: ClusterName, ports: Ports, failures: "Failures") -> list[str]:
    """Remove the cluster's domains, look again, and return their names.

    If they cannot be listed, removal stops: a domain that runs needs its volumes.
    """
    removed: set[str] = set()
    for _ in range(_ROUNDS):
        domains = _all_domains(cluster, ports)
        if not domains or failures.errors:
            return sorted(removed)
        # The domains are the proof: without them, a directory without its marker stays.
        failures.collect(partial(restore_markers, cluster, domains, ports))
        for domain in domains:
            if failures.collect(partial(ports.hypervisor.remove_domain, domain.uuid)):
                removed.add(domain.domain_name)
    failures.collect(partial(_refuse_leftovers, cluster, ports))
    return sorted(removed)


def _remove_volumes(cluster: ClusterName, ports: Ports, failures: "Failures") -> bool:
    """Remove the volumes, unless a domain could not be removed: it may still run on them."""
    if failures.errors:
        return False
    return bool(failures.collect(lambda: ports.volumes.remove_cluster(cluster)))


def _all_domains(cluster: ClusterName, ports: Ports) -> list[Domain]:
    """List nodes first: without the switch they could not end their work in an orderly way."""
    return [*ports.hypervisor.domains(cluster), *ports.hypervisor.switches(cluster)]


def _refuse_leftovers(cluster: ClusterName, ports: Ports) -> None:
    left = [domain.domain_name for domain in _all_domains(cluster, ports)]
    if left:
        raise BootstrapError(
            f"Domains of cluster '{cluster}' come back.",
            details=f"Removed {_ROUNDS} times and still there: {', '.join(left)}",
            hint=f"bootstrap status {cluster}",
        )


def _raise(failures: "Failures", cluster: ClusterName) -> None:
    failures.raise_together(
        f"Cluster '{cluster}' was not removed completely.", hint=f"bootstrap down {cluster}"
    )


class Failures:
    """Goes on after a failure, and raises all of them together."""

    def __init__(self) -> None:
        self.errors: list[BootstrapError] = []

    def collect(self, action: Callable[[], T]) -> T | None:
        """Return what ``action`` returns, or None if it fails."""
        try:
            return action()
        except BootstrapError as error:
            self.errors.append(error)
            return None

    def raise_together(self, message: str, *, hint: str) -> None:
        """Raise the only failure as it is, or all of them with the worst one's exit code."""
        if not self.errors:
            return
        if len(self.errors) == 1:
            raise self.errors[0]
        worst = max(self.errors, key=lambda error: error.exit_code)
        raise type(worst)(
            message,
            details="\n".join(error.summary for error in self.errors),
            hint=hint,
        )
