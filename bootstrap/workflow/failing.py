"""What `up` does when it fails: save the evidence, remove what is of no use, and say so."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain
from bootstrap.model.events import Step
from bootstrap.model.plan import ClusterPlan
from bootstrap.workflow.down import report_removal
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.gathering import gather


@contextmanager
def removed_if_new(plan: ClusterPlan, ports: Ports, existing: Sequence[Domain]) -> Iterator[None]:
    """Remove the machines if the block fails and nothing existed before this run."""
    try:
        yield
    except BootstrapError as error:
        if existing:
            raise
        raise error.with_details(report_removal(plan.name, ports)) from error


def _saved_evidence(plan: ClusterPlan, ports: Ports) -> str:
    """Save what explains the failure, and say where, or why it could not be saved."""
    try:
        evidence = gather(plan.name, plan.nodes, ports, patience=plan.patience)
        path = ports.evidence.save(plan.name, evidence)
    except BootstrapError as error:
        return f"No evidence: {error.summary}"
    return f"Evidence: {path}"


def with_evidence(
    error: BootstrapError, plan: ClusterPlan, ports: Ports, *, remove: bool
) -> BootstrapError:
    """Return the same error with the place of the evidence, which is saved before removal."""
    with ports.events.step(Step.EVIDENCE, "Collecting evidence"):
        lines = [_saved_evidence(plan, ports)]
    if remove:
        lines += [report_removal(plan.name, ports), "Another time, --keep leaves them."]
    return error.with_details(*lines)
