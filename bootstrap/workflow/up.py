"""What `up` does, in order: read this file to know the tool."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.cluster import Domain, DomainState, NodeImages
from bootstrap.model.events import Step
from bootstrap.model.images import age_advice
from bootstrap.model.plan import ClusterPlan
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import CheckResult
from bootstrap.workflow.bringing_up import bring_up
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.failing import removed_if_new, with_evidence
from bootstrap.workflow.files import merge_verified
from bootstrap.workflow.images import existing_images, wanted_images
from bootstrap.workflow.keeping import keep_existing, kept_names, remnants, surplus_workers
from bootstrap.workflow.membership import existing_nodes, planned_names
from bootstrap.workflow.node_removal import Removal, take_nodes_away
from bootstrap.workflow.nodes import existing_domains, refuse_strays, running_mib
from bootstrap.workflow.refusing import refuse_half_restored, refuse_lost_keys
from bootstrap.workflow.shape import known_acceleration, plan_cluster
from bootstrap.workflow.steps.files import ensure_cluster_files, restore_markers
from bootstrap.workflow.steps.machines import ensure_domains, ensure_switch, ensure_volumes


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
    refuse_strays([*existing, *ports.hypervisor.switches(spec.name)])
    restore_markers(spec.name, existing, ports)
    refuse_half_restored(spec, ports)
    refuse_lost_keys(spec, existing, ports)
    ports.kubeconfig.check(spec.name)
    for domain in existing:
        ports.events.node(domain.name, domain.state.value, is_done=True)

    with ports.events.step(Step.CHECK_HOST, "Checking the hypervisor host"):
        memory = running_mib(existing)
        ports.host.check(spec, running_mib=memory, allow_overcommit=options.allow_overcommit)

    staying = [domain for domain in existing if domain.name not in surplus]
    make_plan = partial(plan_cluster, spec, ports, existing=staying, names=names)
    acceleration = known_acceleration(existing)
    if acceleration:
        # What an existing cluster cannot become is refused before an image is built for it.
        with ports.host.allocation():
            make_plan(acceleration=acceleration)

    with ports.events.step(Step.PREPARE_IMAGE, "Preparing the node image"):
        images = _images(spec, existing, ports)
        acceleration = acceleration or ports.host.acceleration(images[spec.kubelet_versions[0]])

    if surplus:
        take_nodes_away(spec.name, surplus, ports, options.removal or Removal())

    with ports.events.step(Step.CREATE_MACHINES, "Creating the machines"):
        # Other runs learn from the marks of domains which ports are taken, so the lock is held
        # until all domains are defined. What takes longer, volumes and files, comes after it:
        # after a kill in between, the cluster exists and the next run makes what it lacks.
        with ports.host.allocation():
            plan = make_plan(acceleration=acceleration)
            with removed_if_new(plan, ports, existing):
                # A state directory of another is refused before there is a domain, which would
                # prove it ours.
                ports.files.ensure_files(plan.name, {})
                # First, for it also makes the cluster's directory ours, which marks rely on.
                ensure_switch(plan, ports)
                ensure_domains(plan, ports, images, existing=staying)
        with removed_if_new(plan, ports, existing):
            ensure_volumes(plan, ports, images)
            ensure_cluster_files(plan, ports)
    try:
        known = {domain.name for domain in existing if domain.state is DomainState.RUNNING}
        in_use = {domain.mark.facts.get("image") for domain in existing}
        on = [node for node in plan.nodes if only is None or node.name in only]
        verified = bring_up(
            replace(plan, nodes=tuple(on)),
            ports,
            [image for image in images.values() if image.key not in in_use],
            known,
            off=[node for node in plan.nodes if node not in on],
        )
    except BootstrapError as error:
        remove = not (existing or options.keep or isinstance(error, TimedOutError))
        raise with_evidence(error, plan, ports, remove=remove) from error
    return UpResult(
        plan=plan,
        checks=verified.checks,
        kubeconfig=verified.kubeconfig,
        merged_into=merge_verified(plan.name, verified.kubeconfig, ports, use=options.use),
        changed=verified.changed,
    )


def _images(spec: ClusterSpec, existing: Sequence[Domain], ports: Ports) -> NodeImages:
    """Return the images that the cluster's disks lie over, and the newest for other kubelets."""
    known = existing_images(spec.name, existing, ports)
    images = wanted_images(spec, known, ports)
    fetched = [image.packages_fetched for version, image in images.items() if version not in known]
    advice = age_advice(min(fetched), ports.now()) if fetched else ""
    if advice:
        ports.events.note(advice)
    return images
