"""What `up` does, in order: read this file to know the tool."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bootstrap.errors import BootstrapError, StateError, TimedOutError
from bootstrap.model.cluster import Domain, DomainState, NodeImage
from bootstrap.model.events import Step
from bootstrap.model.images import age_advice
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import CheckResult
from bootstrap.workflow.down import report_removal
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.gathering import gather
from bootstrap.workflow.images import existing_image
from bootstrap.workflow.keeping import keep_existing, kept_names, remnants, surplus_workers
from bootstrap.workflow.loading import load_kept_images
from bootstrap.workflow.membership import existing_nodes, planned_names
from bootstrap.workflow.node_removal import Removal, take_nodes_away
from bootstrap.workflow.nodes import existing_domains, running_mib
from bootstrap.workflow.shape import known_acceleration, plan_cluster, trust_facts
from bootstrap.workflow.steps.files import (
    ensure_cluster_files,
    ensure_kubeconfig,
    restore_markers,
)
from bootstrap.workflow.steps.kubernetes import (
    finished,
    install_control_plane,
    join_workers,
    verify_cluster,
    wait_until_ready,
)
from bootstrap.workflow.steps.machines import (
    ensure_domains,
    ensure_switch,
    ensure_volumes,
    start_nodes,
    wait_until_booted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """How the user wants `up` to behave."""

    #: The facts of an existing cluster that the user chose; None stands for all, by a file.
    chosen: frozenset[str] | None
    allow_overcommit: bool
    keep: bool
    use: bool
    #: Workers that are made beside the existing ones; ``chosen`` is for these alone.
    adding: int = 0
    #: How workers that are more than the user chose are removed; None stands for not at all.
    removal: Removal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpResult:
    """A cluster that was verified through its kubeconfig."""

    plan: ClusterPlan
    checks: Sequence[CheckResult]
    kubeconfig: Path
    merged_into: Path
    #: What Ansible changed; 0 when the cluster was already as wanted.
    changed: int


def up(spec: ClusterSpec, ports: Ports, options: UpOptions) -> UpResult:
    """Make the cluster exist and prove it. Run again, it goes on from where it is.

    :raises BootstrapError: with the evidence's place; machines of a cluster that began in
        this run are removed again, unless ``options.keep`` is set or time was the trouble.
    :raises LockedError: if another run works on the cluster.
    """
    with ports.lock():
        if options.adding:
            existing = existing_domains(spec.name, ports)
        else:
            existing = existing_nodes(spec.name, ports.hypervisor)
        surplus = surplus_workers(spec, existing, options.chosen) if options.removal else []
        staying = [domain for domain in existing if domain.name not in surplus]
        planned = planned_names(spec.name, ports.hypervisor)
        names = kept_names(staying, planned, options.chosen)
        spec = keep_existing(spec, staying, options.chosen, names=names, adding=options.adding)
        if options.removal:
            surplus += remnants(spec, existing, planned, names)
        return converge(spec, ports, options, existing=existing, names=names, surplus=surplus)


def converge(  # noqa: PLR0913 - all that the ways into it differ by
    spec: ClusterSpec,
    ports: Ports,
    options: UpOptions,
    *,
    existing: Sequence[Domain],
    names: Collection[str],
    surplus: Sequence[str] = (),
    only: Collection[str] | None = None,
) -> UpResult:
    """Make the cluster as ``spec`` says, under its lock.

    ``existing`` are its nodes' domains as they are now. The nodes of ``names`` keep their names.
    Those of ``surplus`` are removed once nothing else is refused; they are made anew if they are
    among ``names``. With ``only``, which names a control plane, other nodes are neither started
    nor verified.
    """
    restore_markers(spec.name, existing, ports)
    _refuse_half_restored(spec, ports)
    _refuse_lost_keys(spec, existing, ports)
    ports.kubeconfig.check(spec.name)
    for domain in existing:
        ports.events.node(domain.name, domain.state.value, is_done=True)

    with ports.events.step(Step.CHECK_HOST, "Checking the hypervisor host"):
        memory = running_mib(existing)
        ports.host.check(spec, running_mib=memory, allow_overcommit=options.allow_overcommit)

    with ports.events.step(Step.PREPARE_IMAGE, "Preparing the node image"):
        image = _image(spec, existing, ports)
        acceleration = known_acceleration(existing) or ports.host.acceleration(image)

    staying = [domain for domain in existing if domain.name not in surplus]
    make_plan = partial(
        plan_cluster, spec, ports, existing=staying, names=names, acceleration=acceleration
    )
    if surplus:
        with ports.host.allocation():
            make_plan()
        take_nodes_away(spec.name, surplus, ports, options.removal or Removal())

    with ports.events.step(Step.CREATE_MACHINES, "Creating the machines"):
        # Other runs learn from the marks of domains which ports are taken, so the lock is held
        # until all domains are defined. What takes longer, volumes and files, comes after it:
        # after a kill in between, the cluster exists and the next run makes what it lacks.
        with ports.host.allocation():
            plan = make_plan()
            with _removed_if_new(plan, ports, existing):
                # A state directory of another is refused before there is a domain, which would
                # prove it ours.
                ports.files.ensure_files(plan.name, {})
                # First, for it also makes the cluster's directory ours, which marks rely on.
                ensure_switch(plan, ports)
                ensure_domains(plan, ports, image, existing=staying)
        with _removed_if_new(plan, ports, existing):
            ensure_volumes(plan, ports, image)
            ensure_cluster_files(plan, ports)
    try:
        known = {domain.name for domain in existing if domain.state is DomainState.RUNNING}
        unchecked = None if existing else image
        verified = _bring_up(_reduced(plan, only), ports, unchecked, known, off=_off(plan, only))
    except BootstrapError as error:
        raise _with_evidence(
            error, plan, ports, remove=_shall_remove(error, existing, options)
        ) from error
    return UpResult(
        plan=plan,
        checks=verified.checks,
        kubeconfig=verified.kubeconfig,
        merged_into=_merge(verified.kubeconfig, plan, ports, use=options.use),
        changed=verified.changed,
    )


def _reduced(plan: ClusterPlan, only: Collection[str] | None) -> ClusterPlan:
    nodes = (node for node in plan.nodes if only is None or node.name in only)
    return replace(plan, nodes=tuple(nodes))


def _off(plan: ClusterPlan, only: Collection[str] | None) -> Sequence[NodePlan]:
    return [node for node in plan.nodes if only is not None and node.name not in only]


def _merge(own: Path, plan: ClusterPlan, ports: Ports, *, use: bool) -> Path:
    """Merge the kubeconfig of a verified cluster, which stays whatever becomes of this.

    :raises BootstrapError: with the path of the cluster's own kubeconfig.
    """
    try:
        return ports.kubeconfig.ensure_entries(own, use=use)
    except BootstrapError as error:
        details = f"""{error.details}
Cluster '{plan.name}' is verified and stays. Only the entries in your kubeconfig are missing.
Its own kubeconfig is '{own}'."""
        hint = f"bootstrap kubeconfig {plan.name} --merge"
        raise type(error)(error.message, details=details.strip(), hint=hint) from error


class _Verified(NamedTuple):
    checks: Sequence[CheckResult]
    kubeconfig: Path
    changed: int


@contextmanager
def _removed_if_new(plan: ClusterPlan, ports: Ports, existing: Sequence[Domain]) -> Iterator[None]:
    """Remove the machines if the block fails and nothing existed before this run."""
    try:
        yield
    except BootstrapError as error:
        if existing:
            raise
        details = f"{error.details}\n{report_removal(plan.name, ports)}".strip()
        raise type(error)(error.message, details=details, hint=error.hint) from error


def _bring_up(
    plan: ClusterPlan,
    ports: Ports,
    unchecked: NodeImage | None,
    running: Collection[str],
    *,
    off: Sequence[NodePlan],
) -> _Verified:
    """Boot, install and verify; ``running`` names the nodes that ran before this run."""
    with ports.events.step(Step.BOOT, "Booting the nodes"):
        first = plan.control_planes
        ports.hypervisor.start_domain(plan.switch.domain_name)
        start_nodes(first if _is_staged(plan, ports) else plan.nodes, ports)
        if unchecked is not None:
            ports.images.check(unchecked)  # while the machines boot
        # A node that says so has booted before.
        done = finished(plan, [node for node in plan.nodes if node.name in running], ports)
        wait_until_booted(plan, _without(first, done), ports)

    with ports.events.step(Step.CONTROL_PLANE, "Starting the control plane"):
        changed = install_control_plane(plan, ports, done)
        kubeconfig = ensure_kubeconfig(plan, ports)

    with ports.events.step(Step.JOIN, "Joining the workers"):
        if _is_staged(plan, ports) and any(node.name not in running for node in plan.workers):
            # Beside booting workers, an API server that starts runs out of the minute that
            # Kubernetes gives its first checks, ends, and begins again.
            wait_until_ready(plan, ports, kubeconfig)
        start_nodes(plan.workers, ports)
        wait_until_booted(plan, _without(plan.workers, done), ports)
        changed += join_workers(plan, ports, kubeconfig, done)

    changed += load_kept_images(plan.name, plan.nodes, ports, patience=plan.patience)
    with ports.events.step(Step.VERIFY, "Verifying the cluster"):
        checks = verify_cluster(plan, ports, kubeconfig, off=off)
    return _Verified(checks, kubeconfig, changed)


def _without(nodes: Sequence[NodePlan], done: Collection[str]) -> Sequence[NodePlan]:
    return [node for node in nodes if node.name not in done]


def _is_staged(plan: ClusterPlan, ports: Ports) -> bool:
    """Tell whether workers had better boot when the API server runs.

    Under emulation a worker's boot takes the processor time that the starting control
    plane needs. The measured times are in
    docs/explanation/decisions/0004-staged-boot-under-emulation.md.
    """
    return plan.is_emulated and ports.host.cores < sum(node.cpus for node in plan.nodes)


def _image(spec: ClusterSpec, existing: Sequence[Domain], ports: Ports) -> NodeImage:
    """Give the image that the cluster's disks lie over, or the newest for a new cluster."""
    if existing:
        return existing_image(spec.name, existing, ports)
    wanted = (spec.kubernetes_version, spec.source)
    image = ports.images.expected(*wanted) or ports.images.ensure(*wanted)
    if advice := age_advice(image.packages_fetched, ports.now()):
        ports.events.note(advice)
    return image


def _refuse_half_restored(spec: ClusterSpec, ports: Ports) -> None:
    """Stop when a restore was broken off: the nodes' disks are of different times."""
    origin = ports.volumes.origin(spec.name)
    if origin and not origin.is_complete:
        raise StateError(
            f"Cluster '{spec.name}' was being restored from snapshot '{origin.snapshot}' when "
            "that run ended.",
            details="Not all of its machines are those of the snapshot.",
            hint=f"bootstrap snapshot restore {spec.name} {origin.snapshot}",
        )


def _refuse_lost_keys(spec: ClusterSpec, existing: Sequence[Domain], ports: Ports) -> None:
    """Stop when the machines trust an authority whose keys this host no longer has."""
    facts = trust_facts(spec.security.profile, ports.trust) if existing else {}
    if any(_has_other_keys(domain, facts, ports) for domain in existing):
        raise StateError(
            f"The keys of cluster '{spec.name}' are not the ones its machines were made with.",
            details="Its state directory was removed or replaced; nobody can log in any more.",
            hint=f"bootstrap down {spec.name}",
        )


def _has_other_keys(domain: Domain, wanted: Mapping[str, str], ports: Ports) -> bool:
    known = domain.mark.facts
    if any(known.get(key) != value for key, value in wanted.items()):
        return True
    ours = ports.trust.node_keys(domain.name).fingerprint
    return known.get("keys", ours) != ours


def _shall_remove(error: BootstrapError, existing: Sequence[Domain], options: UpOptions) -> bool:
    return not (existing or options.keep or isinstance(error, TimedOutError))


def _saved_evidence(plan: ClusterPlan, ports: Ports) -> str:
    """Save what explains the failure, and say where, or why it could not be saved."""
    try:
        evidence = gather(plan.name, plan.nodes, ports, patience=plan.patience)
        path = ports.evidence.save(plan.name, evidence)
    except BootstrapError as error:
        return f"No evidence: {error.message} {error.details}".rstrip()
    return f"Evidence: {path}"


def _with_evidence(
    error: BootstrapError, plan: ClusterPlan, ports: Ports, *, remove: bool
) -> BootstrapError:
    """Give the same error with the place of the evidence, which is saved before removal."""
    with ports.events.step(Step.EVIDENCE, "Collecting evidence"):
        evidence = _saved_evidence(plan, ports)
    lines = [error.details, evidence]
    if remove:
        lines += [report_removal(plan.name, ports), "Another time, --keep leaves them."]
    details = "\n".join(line for line in lines if line)
    return type(error)(error.message, details=details, hint=error.hint)
