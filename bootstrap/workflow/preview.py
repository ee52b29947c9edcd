"""What `plan` shows: what `up` would make."""

from collections.abc import Collection
from dataclasses import dataclass

from bootstrap.model.plan import ClusterPlan
from bootstrap.model.spec import ClusterSpec
from bootstrap.workflow.environment import SitePorts
from bootstrap.workflow.keeping import keep_existing, kept_names
from bootstrap.workflow.membership import existing_nodes, planned_names
from bootstrap.workflow.shape import known_acceleration, plan_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A plan, and which of its domains exist."""

    plan: ClusterPlan
    existing: frozenset[str]


def preview(
    spec: ClusterSpec,
    ports: SitePorts,
    *,
    chosen: Collection[str] | None,
) -> Preview:
    """Plan what `up` would make with the same arguments; changes no cluster.

    :raises UsageError: as `up` does.
    """
    existing = existing_nodes(spec.name, ports.hypervisor)
    names = kept_names(existing, planned_names(spec.name, ports.hypervisor), chosen)
    spec = keep_existing(spec, existing, chosen, names=names)
    plan = plan_cluster(
        spec,
        ports,
        existing=existing,
        names=names,
        acceleration=known_acceleration(existing) or ports.host.expected_acceleration(),
    )
    return Preview(plan=plan, existing=frozenset(domain.name for domain in existing))
