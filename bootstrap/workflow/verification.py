"""What `verify` does, and what `up` proves a cluster by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bootstrap.errors import VerifyError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.ports import CheckResult, ExpectedNode
from bootstrap.workflow.culprit import likely_culprits
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.files import find_file
from bootstrap.workflow.nodes import existing_domains, has_running_control_plane, refuse_strays


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The results of all checks."""

    checks: Sequence[CheckResult]
    #: What explains those that failed, as far as it was found.
    culprits: Sequence[str] = ()

    @property
    def failed(self) -> Sequence[CheckResult]:
        """List the checks that did not pass."""
        return [check for check in self.checks if not check.ok]

    def refuse_failed(self, cluster: ClusterName | str, *, hint: str) -> None:
        """Do nothing if every check passed; no check at all proves nothing.

        :raises VerifyError: with every check's evidence and the likely culprits.
        """
        if self.checks and not self.failed:
            return
        culprits = [f"Likely culprit: {culprit}" for culprit in self.culprits]
        raise VerifyError(
            f"Cluster '{cluster}' is not verified: "
            f"{len(self.failed)} of {len(self.checks)} checks failed.",
            details="\n".join([*map(str, self.checks), *culprits]),
            hint=hint,
        )


def verify(cluster: ClusterName, ports: Ports) -> Verification:
    """Repeat the checks of `up` through the cluster's kubeconfig, and return all results.

    :raises NotFoundError: if the cluster does not exist.
    :raises VerifyError: if not every node runs.
    :raises BootstrapError: if one runs that its libvirt does not know.
    :raises StateError: if it has no kubeconfig on this host.
    """
    domains = existing_domains(cluster, ports)
    refuse_strays(domains)
    if resting := [domain for domain in domains if domain.state is not DomainState.RUNNING]:
        raise VerifyError(
            f"Cluster '{cluster}' is not verified: not every node runs.",
            details="\n".join(f"{domain.name}: {domain.state}" for domain in resting),
            hint=f"bootstrap start {cluster}",
        )
    return _verify(cluster, domains, ports)


def verify_running(
    cluster: ClusterName, domains: Sequence[Domain], ports: Ports
) -> Sequence[CheckResult]:
    """Prove the nodes that run; return no check if none does, or without a control plane.

    :raises VerifyError: with every check's evidence.
    """
    if not has_running_control_plane(domains):
        return ()
    found = _verify(cluster, domains, ports)
    found.refuse_failed(cluster, hint=f"bootstrap status {cluster}")
    return found.checks


def _verify(cluster: ClusterName, domains: Sequence[Domain], ports: Ports) -> Verification:
    kubeconfig = find_file(cluster, "kubeconfig", ports)
    nodes = [
        ExpectedNode(
            name=domain.name,
            address=domain.mark.facts.get("address", ""),
            kubelet_version=domain.kubelet_version,
            is_off=domain.state is not DomainState.RUNNING,
        )
        for domain in domains
    ]
    with ports.events.step(Step.VERIFY, "Verifying the cluster"):
        return run_checks(cluster, kubeconfig, nodes, ports, patience=domains[0].patience)


def run_checks(
    cluster: ClusterName,
    kubeconfig: Path,
    nodes: Sequence[ExpectedNode],
    ports: Ports,
    *,
    patience: int,
) -> Verification:
    """Run all checks; if one fails, look for what explains it."""
    checks = ports.api.verify(kubeconfig, nodes, patience=patience, report=ports.events.waiting)
    found = Verification(checks=checks)
    return replace(found, culprits=likely_culprits(cluster, ports)) if found.failed else found
