"""Keep of an existing cluster what the user did not name, so that `up NAME` needs no file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network

from bootstrap.model.cluster import Domain
from bootstrap.model.names import node_name
from bootstrap.model.spec import (
    ClusterSpec,
    NetworkingSpec,
    NodeGroupSpec,
    NodeRole,
    SecurityProfile,
    SecuritySpec,
)
from bootstrap.workflow.shape import grown_to, labels_of, refuse_other_profile


def fitted(
    spec: ClusterSpec,
    existing: Sequence[Domain],
    *,
    workers_named: bool,
    named: Collection[str] | None,
) -> ClusterSpec:
    """Fit what is asked for to the nodes that exist: what the user did not name, they keep.

    :raises UsageError: if fewer workers or another security profile was named.
    """
    spec = grown_to(spec, existing, workers_named=workers_named)
    spec = _kept(spec, existing, named)
    refuse_other_profile(spec, existing)
    return spec


def _kept(
    spec: ClusterSpec, existing: Sequence[Domain], named: Collection[str] | None
) -> ClusterSpec:
    """Take from the existing nodes whatever is not in ``named``, by the names of facts.

    A new node is like the last one of its role. None means that the user named everything.
    """
    if named is None or not existing:
        return spec
    facts = _without(existing[0].mark.facts, named)
    nodes = {domain.name: _without(domain.mark.facts, named) for domain in existing}
    return replace(
        spec,
        kubernetes_version=facts.get("kubernetesVersion", spec.kubernetes_version),
        networking=_networking(spec.networking, facts),
        security=_security(spec.security, facts),
        node_groups=tuple(group for role in NodeRole for group in _groups(spec, role, nodes)),
    )


def _networking(spec: NetworkingSpec, facts: Mapping[str, str]) -> NetworkingSpec:
    return replace(
        spec,
        node_subnet=IPv4Network(facts.get("nodeSubnet", spec.node_subnet)),
        pod_subnet=IPv4Network(facts.get("podSubnet", spec.pod_subnet)),
        service_subnet=IPv4Network(facts.get("serviceSubnet", spec.service_subnet)),
    )


def _security(spec: SecuritySpec, facts: Mapping[str, str]) -> SecuritySpec:
    return replace(spec, profile=SecurityProfile(facts.get("securityProfile", spec.profile.value)))


def _without(facts: Mapping[str, str], named: Collection[str]) -> dict[str, str]:
    return {key: value for key, value in facts.items() if key not in named}


def _groups(
    spec: ClusterSpec, role: NodeRole, nodes: Mapping[str, Mapping[str, str]]
) -> list[NodeGroupSpec]:
    """Give each node of a role a group of its own."""
    wanted = [group for group in spec.node_groups if group.role is role for _ in range(group.count)]
    groups: list[NodeGroupSpec] = []
    facts: Mapping[str, str] = {}
    for index, group in enumerate(wanted):
        facts = nodes.get(node_name(spec.name, role.value, index), facts)
        groups.append(_like(replace(group, count=1), facts))
    return groups


def _like(group: NodeGroupSpec, facts: Mapping[str, str]) -> NodeGroupSpec:
    return replace(
        group,
        cpus=int(facts.get("cpus", group.cpus)),
        memory_mib=int(facts.get("memoryMiB", group.memory_mib)),
        disk_gib=int(facts.get("diskGiB", group.disk_gib)),
        labels=labels_of(facts["labels"]) if "labels" in facts else group.labels,
    )
