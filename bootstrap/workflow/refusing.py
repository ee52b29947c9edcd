"""Refuse to go on with a cluster whose machines would not work."""

from collections.abc import Mapping, Sequence

from bootstrap.errors import StateError
from bootstrap.model.cluster import Domain
from bootstrap.model.spec import ClusterSpec
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.shape import trust_facts


def refuse_half_restored(spec: ClusterSpec, ports: Ports) -> None:
    """Stop when a restore was broken off: the nodes' disks are of different times."""
    origin = ports.volumes.origin(spec.name)
    if origin and not origin.is_complete:
        raise StateError(
            f"Cluster '{spec.name}' was being restored from snapshot '{origin.snapshot}' when "
            "that run ended.",
            details="Not all of its machines are those of the snapshot.",
            hint=f"bootstrap snapshot restore {spec.name} {origin.snapshot}",
        )


def refuse_lost_keys(spec: ClusterSpec, existing: Sequence[Domain], ports: Ports) -> None:
    """Stop when the machines trust an authority whose keys this host no longer has."""
    facts = trust_facts(spec.security.profile, ports.trust) if existing else {}
    if any(_has_other_keys(domain, facts, ports) for domain in existing):
        raise StateError(
            f"The keys of cluster '{spec.name}' are not the ones its machines were made with.",
            details="Its state directory was removed or replaced, so no login works any more.",
            hint=f"bootstrap down {spec.name}",
        )


def _has_other_keys(domain: Domain, wanted: Mapping[str, str], ports: Ports) -> bool:
    known = domain.mark.facts
    if any(known.get(key) != value for key, value in wanted.items()):
        return True
    ours = ports.trust.node_keys(domain.name).fingerprint
    return known.get("keys", ours) != ours
