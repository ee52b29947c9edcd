"""What `up` does, in order: read this file to know the tool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import BootstrapError, StateError, TimedOutError
from bootstrap.model.cluster import Domain, DomainState, NodeImage
from bootstrap.model.plan import ClusterPlan
from bootstrap.model.spec import ClusterSpec
from bootstrap.ports import CheckResult
from bootstrap.workflow.down import remove_machines
from bootstrap.workflow.environment import Ports, Setting
from bootstrap.workflow.keeping import fitted
from bootstrap.workflow.shape import known_acceleration, plan_cluster, trust_facts
from bootstrap.workflow.steps.kubernetes import (
    install_control_plane,
    join_workers,
    verify_cluster,
)
from bootstrap.workflow.steps.machines import (
    ensure_domains,
    ensure_links,
    ensure_volumes,
    restore_markers,
    start_nodes,
    wait_until_booted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """How the user wants `up` to behave."""

    workers_named: bool
    #: The facts of an existing cluster that the user chose; None means all, by a file.
    named: frozenset[str] | None = None
    allow_overcommit: bool
    keep: bool
    use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpResult:
    """A cluster that was verified through its kubeconfig."""

    plan: ClusterPlan
    checks: Sequence[CheckResult]
    kubeconfig: Path
    merged_into: Path
    #: What Ansible changed; 0 when the cluster was already as wanted.
    changed: int


def up(spec: ClusterSpec, setting: Setting, ports: Ports, options: UpOptions) -> UpResult:
    """Make the cluster exist and prove it. Run again, it goes on from where it is.

    :raises BootstrapError: with the evidence's place; machines of a cluster that began in
        this run are removed again, unless ``options.keep`` is set or time was the trouble.
    """
    existing = ports.hypervisor.domains(spec.name)
    spec = fitted(spec, existing, workers_named=options.workers_named, named=options.named)
    restore_markers(spec.name, existing, ports)
    _refuse_lost_keys(spec, existing, ports)
    ports.products.check_kubeconfig(spec.name)

    ports.progress.step("Checking the hypervisor host")
    running = [domain for domain in existing if domain.state is DomainState.RUNNING]
    memory = sum(int(domain.mark.facts.get("memoryMiB", "0")) for domain in running)
    ports.host.check(spec, running_mib=memory, allow_overcommit=options.allow_overcommit)

    ports.progress.step("Preparing the node image")
    image = _image(spec, existing, ports)
    acceleration = known_acceleration(existing) or ports.host.acceleration(image)

    ports.progress.step("Creating the machines")
    with ports.host.allocation():
        plan = plan_cluster(
            spec,
            setting,
            ports.hypervisor,
            ports.host.is_port_free,
            existing=existing,
            acceleration=acceleration,
        )
        try:
            ports.products.ensure(plan, ports.trust)
            ensure_volumes(plan, ports, image)
            ensure_domains(plan, setting, ports, image, existing=existing)
        except BootstrapError as error:
            if existing:
                raise
            details = f"{error.details}\n{_removed(plan, ports)}".strip()
            raise type(error)(error.message, details=details, hint=error.hint) from error
    try:
        return _bring_up(plan, ports, options)
    except BootstrapError as error:
        raise _with_evidence(
            error, plan, ports, remove=_shall_remove(error, existing, options)
        ) from error


def _bring_up(plan: ClusterPlan, ports: Ports, options: UpOptions) -> UpResult:
    ports.progress.step("Booting the nodes")
    first = plan.control_planes
    start_nodes(first if _is_staged(plan, ports) else plan.nodes, ports)
    ensure_links(plan, ports)
    wait_until_booted(plan, first, ports)

    ports.progress.step("Starting the control plane")
    changed = install_control_plane(plan, ports)
    kubeconfig = ports.products.ensure_kubeconfig(plan)

    ports.progress.step("Joining the workers")
    start_nodes(plan.workers, ports)
    wait_until_booted(plan, plan.workers, ports)
    changed += join_workers(plan, ports, kubeconfig)

    ports.progress.step("Verifying the cluster")
    checks = verify_cluster(plan, ports, kubeconfig)
    merged_into = ports.products.merge_kubeconfig(kubeconfig, use=options.use)
    return UpResult(
        plan=plan,
        checks=checks,
        kubeconfig=kubeconfig,
        merged_into=merged_into,
        changed=changed,
    )


def _is_staged(plan: ClusterPlan, ports: Ports) -> bool:
    """Tell whether workers had better boot when the API server runs.

    Under emulation a worker's boot takes the very processor that the starting control
    plane needs: 742 s together against about 540 s one after the other (lab.md).
    """
    return plan.is_emulated and ports.host.cores < sum(node.cpus for node in plan.nodes)


def _image(spec: ClusterSpec, existing: Sequence[Domain], ports: Ports) -> NodeImage:
    """Give the image that the cluster's disks lie over, or the newest for a new cluster."""
    for domain in existing:
        key = domain.mark.facts.get("image", "")
        image = ports.images.find(key)
        if image is None:
            raise StateError(
                f"The node image '{key}' of cluster '{spec.name}' is gone.",
                details="The disks of its nodes lie over it.",
                hint=f"bootstrap down {spec.name}",
            )
        return image
    return ports.images.ensure(spec.kubernetes_version)


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


def _with_evidence(
    error: BootstrapError, plan: ClusterPlan, ports: Ports, *, remove: bool
) -> BootstrapError:
    """Give the same error with the place of the evidence, which is saved before removal."""
    ports.progress.step("Collecting evidence")
    evidence = ports.products.collect_evidence(plan.name, plan.nodes, ports.shell)
    lines = [error.details, f"Evidence: {evidence}"]
    if remove:
        lines += [_removed(plan, ports), "Another time, --keep leaves them."]
    details = "\n".join(line for line in lines if line)
    return type(error)(error.message, details=details, hint=error.hint)


def _removed(plan: ClusterPlan, ports: Ports) -> str:
    """Remove the machines; a failure is told beside the first one, never instead of it."""
    try:
        remove_machines(plan.name, ports)
    except BootstrapError as error:
        return f"The machines were not removed: {error.message} {error.details}".strip()
    return "The machines were removed."
