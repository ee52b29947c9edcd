"""What `down` does: everything of a cluster goes, whatever is missing already."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.steps.machines import restore_markers

T = TypeVar("T")

#: A domain that somebody defines again while we remove it is removed again, twice.
_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DownResult:
    """What was removed, by kind, and what the user had changed and so keeps."""

    domains: tuple[str, ...]
    volumes: bool
    state: bool
    kept: tuple[str, ...]


def down(cluster: ClusterName, ports: Ports) -> DownResult:
    """Remove the cluster; needs no state, and goes on after a failure.

    :raises BootstrapError: one error with everything that is left, and why.
    """
    ports.progress.step(f"Removing cluster '{cluster}'")
    failures = Failures()
    domains = _remove_domains(cluster, ports, failures)
    volumes = failures.collect(lambda: ports.volumes.remove_cluster(cluster))
    kept = failures.collect(lambda: ports.products.remove_kubeconfig_entries(cluster))
    state = False
    # While something is left, the keys stay: they may be needed to look at it.
    if not failures.errors:
        state = bool(failures.collect(lambda: ports.products.remove(cluster)))
    failures.collect(ports.images.sweep)
    _raise(failures, cluster)
    return DownResult(
        domains=tuple(domains), volumes=bool(volumes), state=state, kept=tuple(kept or ())
    )


def remove_machines(cluster: ClusterName, ports: Ports) -> None:
    """Remove domains and volumes only; what the user may read stays.

    :raises BootstrapError: one error with everything that is left.
    """
    failures = Failures()
    _remove_domains(cluster, ports, failures)
    failures.collect(lambda: ports.volumes.remove_cluster(cluster))
    _raise(failures, cluster)


def _remove_domains(cluster: ClusterName, ports: Ports, failures: "Failures") -> list[str]:
    """Remove the cluster's domains and look again; gives their names.

    Who cannot look does not go on: a domain that runs needs its volumes.
    """
    removed: set[str] = set()
    for _ in range(_ROUNDS):
        domains = ports.hypervisor.domains(cluster)
        if not domains or failures.errors:
            return sorted(removed)
        # The domains are the proof: without them, a directory without its marker stays.
        failures.collect(partial(restore_markers, cluster, domains, ports))
        for domain in domains:
            if failures.collect(partial(ports.hypervisor.remove_domain, domain.uuid)):
                removed.add(domain.name)
    failures.collect(partial(_refuse_leftovers, cluster, ports))
    return sorted(removed)


def _refuse_leftovers(cluster: ClusterName, ports: Ports) -> None:
    left = [domain.name for domain in ports.hypervisor.domains(cluster)]
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
        """Give what ``action`` gives, or None if it fails."""
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
            details="\n".join(f"{error.message} {error.details}" for error in self.errors),
            hint=hint,
        )
