"""Plan a cluster that may exist already, and refuse to change its fixed values."""

from collections.abc import Collection, Mapping, Sequence

from bootstrap.errors import HostError, UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.facts import facts_of
from bootstrap.model.keys import key_fingerprint
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import (
    ClusterSpec,
    NetworkingSpec,
    NodeGroupSpec,
    SecurityProfile,
    SecuritySpec,
)
from bootstrap.model.versions import refusal_of_kubelet
from bootstrap.planning.members import Member, members_of
from bootstrap.planning.plan import make_plan, wanted_slots
from bootstrap.planning.ports import Slot, choose_ports
from bootstrap.ports import Trust
from bootstrap.workflow.environment import SitePorts


def known_acceleration(existing: Sequence[Domain]) -> Acceleration | None:
    """Return the acceleration of a cluster's nodes, which new nodes get too; None without any."""
    return existing[0].acceleration if existing else None


def plan_cluster(
    spec: ClusterSpec,
    ports: SitePorts,
    *,
    existing: Sequence[Domain],
    names: Collection[str],
    acceleration: Acceleration,
) -> ClusterPlan:
    """Plan the cluster with the ports its domains have, and free ones for new domains.

    ``names`` are the nodes that keep their names, with a domain or without.

    :raises HostError: if no port is left, or the wanted API port is in use.
    :raises UsageError: if the cluster exists and differs in what cannot be changed, if its
        subnets have no room for all nodes, or if the control plane does not take a kubelet.
    """
    members = members_of(spec, names)
    chosen = _choose(spec, members, ports, existing=existing)
    try:
        plan = make_plan(spec, ports.site, members, chosen, acceleration=acceleration)
    except ValueError as error:
        raise UsageError(
            f"Cluster '{spec.name}' has no room for {len(members)} nodes.",
            details=f"{error}.",
            hint=f"bootstrap status {spec.name}",
        ) from error
    refuse_changes(plan, existing)
    refuse_kubelets(spec)
    return plan


def domain_facts(plan: ClusterPlan, node: NodePlan) -> dict[str, str]:
    """List the facts in a node's mark: what a later run cannot change."""
    return {
        "acceleration": plan.acceleration.value,
        **facts_of(ClusterSpec, plan.spec),
        **facts_of(NetworkingSpec, plan.spec.networking),
        **facts_of(SecuritySpec, plan.spec.security),
        **facts_of(NodeGroupSpec, node),
        "address": str(node.address),
    }


def trust_facts(profile: SecurityProfile, trust: Trust) -> dict[str, str]:
    """List the facts about the cluster's keys, by which a run with other keys is refused."""
    facts = {"authority": trust.authority_hash()}
    if profile is SecurityProfile.STRICT:
        facts["encryptionKey"] = key_fingerprint(trust.encryption_key())
    return facts


def refuse_changes(plan: ClusterPlan, existing: Sequence[Domain]) -> None:
    """Refuse a plan that would change fixed values of an existing node.

    :raises UsageError: with every difference.
    """
    planned = {node.name: domain_facts(plan, node) for node in plan.nodes}
    changes = [
        f"{domain.name}: {key} is {known or 'none'}, "
        f"asked for is {planned[domain.name][key] or 'none'}"
        for domain in existing
        if domain.name in planned
        for key, known in sorted(domain.mark.facts.items())
        if planned[domain.name].get(key, known) != known
    ]
    if changes:
        raise UsageError(
            f"Cluster '{plan.name}' exists and cannot be changed in this way.",
            details="\n".join(changes),
            hint=f"bootstrap down {plan.name}",
        )


def refuse_kubelets(spec: ClusterSpec) -> None:
    """Refuse kubelets that the control plane does not take.

    :raises UsageError: with each of them.
    """
    refusals = [refusal_of_kubelet(one, spec.kubernetes_version) for one in spec.kubelet_versions]
    if any(refusals):
        raise UsageError(
            f"Cluster '{spec.name}' cannot have workers of another version in this way.",
            details="\n".join(f"{refusal}." for refusal in refusals if refusal),
            hint="bootstrap versions",
        )


def _choose(
    spec: ClusterSpec,
    members: Sequence[Member],
    ports: SitePorts,
    *,
    existing: Sequence[Domain],
) -> Mapping[Slot, int]:
    known = {
        Slot(domain.name, use): port
        for domain in existing
        for use, port in domain.mark.ports.items()
    }
    others = [domain for domain in ports.hypervisor.domains() if domain.mark.cluster != spec.name]
    taken = frozenset(port for domain in others for port in domain.mark.ports.values())
    slots = wanted_slots(ports.site, members)
    is_free, wanted = ports.host.is_port_free, spec.networking.api_server_port
    api = next(slot for slot in slots if slot.use == "api")
    if wanted is not None and known.get(api, wanted) != wanted:
        raise UsageError(
            f"Cluster '{spec.name}' has port {known[api]} for its API server, not {wanted}.",
            hint=f"bootstrap up {spec.name} --api-server-port {known[api]}",
        )
    if wanted is not None and api not in known:
        if wanted in taken or not is_free(wanted):
            raise HostError(
                f"Port {wanted} on 127.0.0.1 is in use.",
                hint=f"ss -ltnp 'sport = :{wanted}'",
            )
        known[api] = wanted
    seed = f"{ports.site.install_id}/{spec.name}"
    try:
        return choose_ports(slots, seed=seed, known=known, taken=taken, is_free=is_free)
    except ValueError as error:
        raise HostError(f"Could not choose ports: {error}.", hint="ss -ltnu") from error
