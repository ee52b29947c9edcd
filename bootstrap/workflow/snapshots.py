"""What `snapshot save`, `list`, `delete` and `prune` do."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from bootstrap.errors import BootstrapError, UsageError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.model.events import Step
from bootstrap.model.loading import KeptArchive
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.snapshot import Reader, SavedArchive, SavedNode, Snapshot, SnapshotId
from bootstrap.model.spec import ClusterSpec, NodeRole
from bootstrap.ports import SnapshotDraft
from bootstrap.threads import at_once
from bootstrap.workflow.environment import Ports, SitePorts
from bootstrap.workflow.images import existing_images
from bootstrap.workflow.nodes import existing_domains
from bootstrap.workflow.start import start_machines
from bootstrap.workflow.steps.upkeep import certificates_end
from bootstrap.workflow.stop import power_off_switch, stop_nodes
from bootstrap.workflow.up import UpResult
from bootstrap.workflow.verification import verify_running

_SYNC_TIMEOUT_S = 60
#: What is on storage and can be read again is not worth being saved.
_SETTLE = "sync && echo 1 > /proc/sys/vm/drop_caches"
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveResult:
    """A snapshot, and the cluster that went on after it; None if it was stopped."""

    snapshot: Snapshot
    verified: UpResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOptions:
    """How a cluster is saved."""

    note: str = ""
    #: Stop it afterwards.
    stop: bool = False
    #: It was verified just now.
    is_verified: bool = False


def save(spec: ClusterSpec, snapshot: SnapshotId, ports: Ports, options: SaveOptions) -> SaveResult:
    """Verify a cluster, save it whole, and let it go on, or stop it.

    ``spec`` names the cluster; what else is in it is replaced by what the cluster has. Its nodes
    are suspended for seconds. If it fails, they go on, and there is no snapshot.

    :raises NotFoundError: if there is no such cluster.
    :raises UsageError: if a node does not run, or there is such a snapshot.
    :raises VerifyError: if the cluster is not verified, before or after.
    :raises HostError: if the disk is too full.
    """
    with ports.lock():
        _finish_killed_save(spec, ports)
        domains = existing_domains(spec.name, ports)
        _refuse_still(spec.name, domains)
        archives = ports.archives.kept(spec.name)
        needed = _needed_bytes(domains, ports) + sum(one.size_bytes for one in archives)
        with ports.snapshots.saving(snapshot, needed_bytes=needed) as draft:
            # What takes long comes after what may refuse.
            if not options.is_verified:
                verify_running(spec.name, domains, ports)
            title = f"Saving cluster '{spec.name}' as snapshot '{snapshot}'"
            with ports.events.step(Step.SAVE, title):
                for domain in domains:
                    # A run that was killed may have left one.
                    ports.hypervisor.detach_disks(domain.domain_name)
                described = _described(snapshot, domains, archives, ports, note=options.note)
                for one in archives:
                    ports.archives.save(one, draft.archive(one.path.name))
                at_once(lambda node: _settle(node, ports), domains)
                _save_machines(domains, draft, ports, stop=options.stop)
                saved = draft.publish(
                    described, ports.trust.saved([domain.name for domain in domains])
                )
        return SaveResult(
            snapshot=saved, verified=None if options.stop else start_machines(spec, (), ports)
        )


def new_name(now: str) -> str:
    """Return the name of a snapshot that its user gives none; names sort by their times."""
    return f"{datetime.fromisoformat(now):%Y%m%d-%H%M%S}"


def delete_snapshots(snapshots: Sequence[SnapshotId], ports: SitePorts) -> None:
    """Remove snapshots; clusters that were restored from them have disks of their own.

    :raises NotFoundError: if there is no such snapshot; those before it are removed.
    :raises LockedError: if a run works on the cluster that was saved, or restores one of them.
    """
    for one in snapshots:
        with ports.cluster(one.cluster).lock():
            if not ports.snapshots.delete(one):
                ports.snapshots.find(one)  # for its error


def prune_snapshots(
    ports: SitePorts, limits: "Limits", cluster: ClusterName | None = None
) -> Sequence[SnapshotId]:
    """Remove the snapshots beyond the limits, of one cluster or of all, and return their names."""
    found = ports.snapshots.list(cluster)
    going = [one.id for one in surplus(found, datetime.fromisoformat(ports.now()), limits)]
    delete_snapshots(going, ports)
    return going


def clusters_of_snapshots(ports: SitePorts) -> Mapping[str, Sequence[ClusterName]]:
    """Name, by snapshot, the clusters whose machines were restored from it last."""
    found: dict[str, list[ClusterName]] = {}
    for cluster in sorted(ports.volumes.clusters()):
        if origin := ports.volumes.origin(cluster):
            found.setdefault(origin.snapshot, []).append(cluster)
    return found


def newest(cluster: ClusterName, ports: SitePorts) -> SnapshotId:
    """Return the newest snapshot of a cluster.

    :raises UsageError: if it has none.
    """
    found = ports.snapshots.list(cluster)
    if not found:
        raise UsageError(
            f"There is no snapshot of cluster '{cluster}'.",
            hint=f"bootstrap snapshot save {cluster}",
        )
    return found[-1].id


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which snapshots may stay; None stands for no limit."""

    #: How many of each cluster.
    keep: int | None = None
    older_than: timedelta | None = None
    #: Of all together.
    max_bytes: int | None = None


def surplus(snapshots: Sequence[Snapshot], now: datetime, limits: Limits) -> Sequence[Snapshot]:
    """Choose the snapshots that are too many, too old, or do not fit, the oldest first."""
    staying: list[Snapshot] = []
    for one in reversed(_by_age(snapshots)):
        newer = sum(other.cluster == one.cluster for other in staying)
        size = one.size_bytes + sum(other.size_bytes for other in staying)
        age = now - datetime.fromisoformat(one.created)
        is_within = (
            (limits.keep is None or newer < limits.keep)
            and (limits.older_than is None or age <= limits.older_than)
            and (limits.max_bytes is None or size <= limits.max_bytes)
        )
        if is_within:
            staying.append(one)
    return [one for one in _by_age(snapshots) if one not in staying]


def _by_age(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    return sorted(snapshots, key=lambda snapshot: (snapshot.created, snapshot.name))


def _finish_killed_save(spec: ClusterSpec, ports: Ports) -> None:
    """Let the nodes go on that a save left frozen when it was killed."""
    if not ports.snapshots.sweep(spec.name):
        return
    domains = existing_domains(spec.name, ports)
    if any(domain.state is DomainState.PAUSED for domain in domains):
        start_machines(spec, [domain.name for domain in domains if not domain.is_off], ports)


def _refuse_still(cluster: ClusterName, domains: Sequence[Domain]) -> None:
    still = [domain.name for domain in domains if domain.state is not DomainState.RUNNING]
    if still:
        raise UsageError(
            f"Cluster '{cluster}' has nodes that do not run: {', '.join(still)}.",
            details="Only a cluster that runs can be saved.",
            hint=f"bootstrap start {cluster}",
        )


def _needed_bytes(domains: Sequence[Domain], ports: Ports) -> int:
    memory = sum(domain.memory_mib * _MIB for domain in domains)
    return memory + sum(ports.volumes.disk_bytes(domain) for domain in domains)


def _settle(domain: Domain, ports: Ports) -> None:
    answer = ports.shell.run(domain, _SETTLE, timeout_s=_SYNC_TIMEOUT_S * domain.patience)
    if answer.exit_status != 0:
        raise BootstrapError(
            f"Node '{domain.name}' could not write its files to its disk.",
            details=answer.stderr or answer.stdout,
            hint=f"bootstrap logs {domain.mark.cluster} {domain.name}",
        )


def _save_machines(
    domains: Sequence[Domain], draft: SnapshotDraft, ports: Ports, *, stop: bool
) -> None:
    """Freeze all nodes, save them, and let them go on; workers are the first to freeze.

    With ``stop`` they are shut down at the end, as they would be without a snapshot.
    """
    with ExitStack() as stack:
        for node in sorted(domains, key=lambda node: node.is_control_plane):
            # Each goes on in the end, whatever becomes of the others; the last one first.
            stack.callback(ports.hypervisor.start_domain, node.domain_name)
            ports.hypervisor.suspend_domain(node.domain_name)
        ports.hypervisor.save_memory(
            {node.domain_name: draft.memory(node.name) for node in domains}
        )
        at_once(lambda node: ports.volumes.save_disk(node, draft.disk(node.name)), domains)
    if stop:
        stop_nodes(domains, ports)
        power_off_switch(domains[0].mark.cluster, ports)
        ports.volumes.sync(domains[0].mark.cluster)


def _described(
    snapshot: SnapshotId,
    domains: Sequence[Domain],
    archives: Sequence[KeptArchive],
    ports: Ports,
    *,
    note: str,
) -> Snapshot:
    first = domains[0]
    is_emulated = first.acceleration is Acceleration.EMULATED
    images = existing_images(first.mark.cluster, domains, ports)
    ends = at_once(lambda node: certificates_end(node, ports), domains)
    return Snapshot(
        cluster=str(snapshot.cluster),
        name=snapshot.name,
        created=ports.now(),
        note=note,
        layout=first.mark.layout,
        kubernetes_version=first.mark.facts["kubernetesVersion"],
        acceleration=first.acceleration,
        images={image.key: image.sha256 for image in images.values()},
        reader=Reader(
            qemu=ports.hypervisor.version(),
            processor="" if is_emulated else ports.host.processor(),
        ),
        certificates_end=min(filter(None, ends), default=None),
        nodes=[
            SavedNode(
                name=domain.name,
                role=domain.mark.role or NodeRole.WORKER,
                facts=domain.mark.facts,
            )
            for domain in domains
        ],
        archives=[SavedArchive(file=one.path.name, images=one.images) for one in archives],
        files={},
    )
