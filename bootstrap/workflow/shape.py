"""Find the plan of a cluster that may exist already: what it has, it keeps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bootstrap.errors import HostError, UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.keys import key_fingerprint
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import ClusterSpec, NodeRole, SecurityProfile
from bootstrap.planning.plan import Site, make_plan, wanted_slots
from bootstrap.planning.ports import Slot, choose_ports
from bootstrap.ports import Hypervisor, Trust
from bootstrap.workflow.environment import Setting


def grown_to(spec: ClusterSpec, existing: Sequence[Domain], *, workers_named: bool) -> ClusterSpec:
    """Keep the workers that exist, unless the user named a number.

    :raises UsageError: if the user named a smaller number: ``up`` removes no node.
    """
    have = sum(domain.mark.role is NodeRole.WORKER for domain in existing)
    wanted = spec.count(NodeRole.WORKER)
    if have <= wanted:
        return spec
    if workers_named:
        raise UsageError(
            f"Cluster '{spec.name}' has {have} workers, and {wanted} are asked for.",
            details="up adds nodes; it does not remove any.",
            hint=f"bootstrap up {spec.name} --workers {have}",
        )
    groups = list(spec.node_groups)
    last = max(
        (index for index, group in enumerate(groups) if group.role is NodeRole.WORKER), default=None
    )
    if last is not None:
        groups[last] = replace(groups[last], count=groups[last].count + have - wanted)
    return replace(spec, node_groups=tuple(groups))


def known_acceleration(existing: Sequence[Domain]) -> Acceleration | None:
    """Give the acceleration that a cluster's nodes have, so that its next ones get it too."""
    for domain in existing:
        return Acceleration.EMULATED if domain.is_emulated else Acceleration.KVM
    return None


def plan_cluster(  # noqa: PLR0913 - all that a plan follows from
    spec: ClusterSpec,
    setting: Setting,
    hypervisor: Hypervisor,
    is_port_free: Callable[[int], bool],
    *,
    existing: Sequence[Domain],
    acceleration: Acceleration,
) -> ClusterPlan:
    """Plan the cluster with the ports its domains have, and free ones for new domains.

    :raises HostError: if no port is left, or the wanted API port is in use.
    :raises UsageError: if the cluster exists and differs in what cannot be changed.
    """
    site = Site(
        install_id=setting.install_id,
        hypervisor_uri=setting.hypervisor_uri,
        acceleration=acceleration,
        state_directory=setting.state_directory,
        volume_directory=setting.volume_directory,
    )
    plan = make_plan(spec, site, _choose(spec, hypervisor, is_port_free, existing))
    refuse_changes(plan, existing)
    return plan


def domain_facts(plan: ClusterPlan, node: NodePlan) -> dict[str, str]:
    """List what a node's mark remembers: the choices that a later run must not change."""
    return {
        "acceleration": plan.acceleration.value,
        "kubernetesVersion": plan.kubernetes_version,
        "securityProfile": plan.security_profile.value,
        "nodeSubnet": str(plan.node_subnet),
        "podSubnet": str(plan.pod_subnet),
        "serviceSubnet": str(plan.service_subnet),
        "cpus": str(node.cpus),
        "memoryMiB": str(node.memory_mib),
        "diskGiB": str(node.disk_gib),
        "labels": _label_text(node.labels),
        "address": str(node.address),
    }


def trust_facts(profile: SecurityProfile, trust: Trust) -> dict[str, str]:
    """List what a mark remembers of the keys, so that a run with others is noticed."""
    facts = {"authority": trust.authority_hash()}
    if profile is SecurityProfile.STRICT:
        facts["encryptionKey"] = key_fingerprint(trust.encryption_key())
    return facts


def known_profile(existing: Sequence[Domain]) -> SecurityProfile | None:
    """Give the profile that the cluster was made with, if it exists."""
    for domain in existing:
        # Clusters that are older than profiles were made with what is now the default.
        return SecurityProfile(domain.mark.facts.get("securityProfile", "default"))
    return None


def refuse_other_profile(spec: ClusterSpec, existing: Sequence[Domain]) -> None:
    """Stop before an existing cluster would have to be closed, or opened, further.

    :raises UsageError: naming both profiles.
    """
    known, wanted = known_profile(existing), spec.security.profile
    if known not in {None, wanted}:
        raise UsageError(
            f"Cluster '{spec.name}' was made with the security profile '{known}'; "
            f"'{wanted}' is asked for.",
            details="A profile is chosen when a cluster is made: down and up make it anew.",
            hint=f"bootstrap up {spec.name} --profile {known}",
        )


def _label_text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def labels_of(text: str) -> dict[str, str]:
    """Read the fact ``labels`` back; neither a key nor a value may hold its separators."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {key: value for key, _, value in pairs}


def refuse_changes(plan: ClusterPlan, existing: Sequence[Domain]) -> None:
    """Stop before an existing node would have to become another one.

    :raises UsageError: naming every difference.
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


def _choose(
    spec: ClusterSpec,
    hypervisor: Hypervisor,
    is_port_free: Callable[[int], bool],
    existing: Sequence[Domain],
) -> Mapping[Slot, int]:
    known = {
        Slot(domain.name, use): port
        for domain in existing
        for use, port in domain.mark.ports.items()
    }
    others = [domain for domain in hypervisor.domains() if domain.mark.cluster != spec.name]
    taken = frozenset(port for domain in others for port in domain.mark.ports.values())
    slots = wanted_slots(spec)
    wanted = spec.networking.api_server_port
    api = next(slot for slot in slots if slot.use == "api")
    if wanted is not None and known.get(api, wanted) != wanted:
        raise UsageError(
            f"Cluster '{spec.name}' has port {known[api]} for its API server, not {wanted}.",
            hint=f"bootstrap up {spec.name} --api-server-port {known[api]}",
        )
    if wanted is not None and api not in known:
        if wanted in taken or not is_port_free(wanted):
            raise HostError(
                f"Port {wanted} on 127.0.0.1 is in use.",
                hint=f"ss -ltnp 'sport = :{wanted}'",
            )
        known[api] = wanted
    try:
        return choose_ports(slots, known=known, taken=taken, is_free=is_port_free)
    except ValueError as error:
        raise HostError(f"Could not choose ports: {error}.", hint="ss -ltnu") from error
