"""Keep what an existing cluster has and the user chose no other value for."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from bootstrap.errors import UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.facts import with_facts
from bootstrap.model.names import node_index
from bootstrap.model.spec import MAX_WORKERS, ClusterSpec, NodeGroupSpec, NodeRole, SecurityProfile
from bootstrap.planning.members import members_of
from bootstrap.workflow.shape import refuse_kubelets

#: Stands for the number of workers among the facts that a user chose.
WORKERS = "workers"


def is_number_chosen(chosen: Collection[str] | None) -> bool:
    """Tell whether the user chose the number of workers; ``chosen`` as in keep_existing."""
    return chosen is None or WORKERS in chosen


def kept_names(
    existing: Sequence[Domain], planned: Collection[str], chosen: Collection[str] | None
) -> list[str]:
    """Name the nodes that keep their names.

    Those that are only ``planned`` count as long as the user chooses no other number.
    """
    names = {domain.name for domain in existing}
    return sorted(names if is_number_chosen(chosen) else names | set(planned))


def keep_existing(
    spec: ClusterSpec,
    existing: Sequence[Domain],
    chosen: Collection[str] | None,
    *,
    names: Collection[str],
    adding: int = 0,
) -> ClusterSpec:
    """Replace by the values of the existing nodes what the user did not choose.

    ``chosen`` has the names of facts; None stands for all, by a cluster file. ``names`` are
    the nodes that keep their names. With ``adding``, so many workers are new, and the user
    chose for them alone.

    :raises UsageError: if the user chose fewer workers, another security profile, or a kubelet
        that the control plane of a new cluster does not take.
    """
    spec = _keep_workers(spec, existing, names, adding, is_chosen=is_number_chosen(chosen))
    if existing and chosen is not None:
        spec = _keep_facts(spec, existing, chosen, names=names, is_adding=adding > 0)
    _refuse_other_profile(spec, existing)
    if not existing:
        refuse_kubelets(spec)
    return spec


def surplus_workers(
    spec: ClusterSpec, existing: Sequence[Domain], chosen: Collection[str] | None
) -> list[str]:
    """Name the workers that are more than the user chose, which are those that came last."""
    if not is_number_chosen(chosen):
        return []
    return _workers(domain.name for domain in existing)[spec.count(NodeRole.WORKER) :]


def remnants(
    spec: ClusterSpec,
    existing: Sequence[Domain],
    planned: Collection[str],
    names: Collection[str],
) -> list[str]:
    """Name the planned nodes that have no domain and that ``spec`` has no place for.

    A removal that was killed has left parts of them.
    """
    known = {domain.name for domain in existing}
    return sorted(set(planned) - known - {member.name for member in members_of(spec, names)})


def _keep_workers(
    spec: ClusterSpec,
    existing: Sequence[Domain],
    names: Collection[str],
    adding: int,
    *,
    is_chosen: bool,
) -> ClusterSpec:
    have, wanted = len(_workers(names)), spec.count(NodeRole.WORKER)
    if is_chosen and (surplus := surplus_workers(spec, existing, None)):
        raise UsageError(
            f"Cluster '{spec.name}' has {have} workers, and {wanted} are asked for.",
            details=f"up would remove {', '.join(surplus)}, and asks for --remove to do so.",
            hint=f"bootstrap node remove {spec.name} {' '.join(surplus)}",
        )
    if have + adding > MAX_WORKERS:
        raise UsageError(
            f"Cluster '{spec.name}' has {have} workers, and {MAX_WORKERS} are supported.",
            hint=f"bootstrap status {spec.name}",
        )
    if is_chosen or not names:
        return spec
    return _with_workers(spec, have + adding)


def _with_workers(spec: ClusterSpec, count: int) -> ClusterSpec:
    """Return the spec with so many workers; those that are too many or new come last."""
    nodes = [replace(group, count=1) for group in spec.node_groups for _ in range(group.count)]
    others = [node for node in nodes if node.role is not NodeRole.WORKER]
    workers = [node for node in nodes if node.role is NodeRole.WORKER]
    workers += workers[-1:] * (count - len(workers))
    return replace(spec, node_groups=tuple(_grouped([*others, *workers[:count]])))


def _grouped(nodes: Iterable[NodeGroupSpec]) -> Iterator[NodeGroupSpec]:
    for node, equal in groupby(nodes):
        yield replace(node, count=len(list(equal)))


def _workers(names: Iterable[str]) -> list[str]:
    """List the workers among the names, in their order."""
    indexes = {name: node_index(name, NodeRole.WORKER.value) for name in names}
    known = [(index, name) for name, index in indexes.items() if index is not None]
    return [name for _, name in sorted(known)]


def _keep_facts(
    spec: ClusterSpec,
    existing: Sequence[Domain],
    chosen: Collection[str],
    *,
    names: Collection[str],
    is_adding: bool,
) -> ClusterSpec:
    kept = {domain.name: domain.mark.facts for domain in existing}
    if not is_adding:
        kept = {name: _without(facts, chosen) for name, facts in kept.items()}
    facts = kept[existing[0].name]
    return replace(
        with_facts(spec, facts),
        networking=with_facts(spec.networking, facts),
        security=with_facts(spec.security, facts),
        node_groups=tuple(_grouped(_nodes(spec, kept, names, chosen))),
    )


def _without(facts: Mapping[str, str], chosen: Collection[str]) -> Mapping[str, str]:
    return {fact: text for fact, text in facts.items() if fact not in chosen}


def _nodes(
    spec: ClusterSpec,
    kept: Mapping[str, Mapping[str, str]],
    names: Collection[str],
    chosen: Collection[str],
) -> Iterator[NodeGroupSpec]:
    """Give each node its own facts; a new node is like the last one of its role."""
    facts: dict[NodeRole, Mapping[str, str]] = {}
    for member in members_of(spec, names):
        role = member.group.role
        facts[role] = kept.get(member.name) or _without(facts.get(role, {}), chosen)
        yield replace(with_facts(member.group, facts[role]), count=1)


def _refuse_other_profile(spec: ClusterSpec, existing: Sequence[Domain]) -> None:
    wanted = spec.security.profile
    for domain in existing:
        known = SecurityProfile(domain.mark.facts.get("securityProfile", wanted))
        if known is not wanted:
            raise UsageError(
                f"Cluster '{spec.name}' was made with the security profile '{known}'; "
                f"'{wanted}' is asked for.",
                details="A profile is chosen when a cluster is made: down and up make it anew.",
                hint=f"bootstrap up {spec.name} --security-profile {known}",
            )
