"""What `snapshot restore`, `reset` and `up --from` do: machines go on from a snapshot."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from bootstrap.errors import BootstrapError, UsageError
from bootstrap.model.cluster import Domain, DomainState, Mark, NodeImages
from bootstrap.model.events import Step
from bootstrap.model.loading import FoundArchive
from bootstrap.model.names import domain_name
from bootstrap.model.plan import Acceleration, ClusterPlan
from bootstrap.model.snapshot import Origin, Snapshot, SnapshotId, snapshot_id
from bootstrap.model.spec import ClusterSpec, SecurityProfile
from bootstrap.planning.node_files import seed_files
from bootstrap.threads import at_once
from bootstrap.workflow.down import report_removal
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.keeping import keep_existing
from bootstrap.workflow.membership import existing_nodes
from bootstrap.workflow.nodes import running_mib
from bootstrap.workflow.readable import readable_images
from bootstrap.workflow.shape import plan_cluster
from bootstrap.workflow.snapshots import newest
from bootstrap.workflow.start import start_machines
from bootstrap.workflow.steps.files import restore_markers
from bootstrap.workflow.steps.identity import give_own_keys
from bootstrap.workflow.steps.machines import ensure_domains, ensure_switch
from bootstrap.workflow.up import UpResult


class _Saved(NamedTuple):
    """A snapshot with what it needs of this host."""

    snapshot: Snapshot
    images: NodeImages


def restore(spec: ClusterSpec, snapshot: SnapshotId, ports: Ports) -> UpResult:
    """Make a cluster what it was when the snapshot was saved, and prove it as `up` does.

    ``spec`` names the cluster. What it has become since is gone afterwards; nodes that it did
    not have are removed. A cluster that is gone comes back. Run again, it goes on.

    :raises NotFoundError: if there is no such snapshot.
    :raises StateError: if it is damaged, or cannot be read on this host; nothing is changed.
    :raises HostError: if the host cannot hold the cluster; nothing is changed.
    """
    with ports.lock():
        if snapshot.cluster != spec.name:
            _refuse_unrelated(spec, snapshot, ports)
        return _restored(spec, ports.snapshots.find(snapshot), ports)


def reset(spec: ClusterSpec, ports: Ports) -> UpResult:
    """Restore a cluster's newest snapshot; without any, the one that the cluster was made of.

    :raises UsageError: if there is neither.
    :raises BootstrapError: as :func:`restore` does.
    """
    origin = ports.volumes.origin(spec.name)
    if origin and not ports.snapshots.names(spec.name):
        return restore(spec, snapshot_id(origin.snapshot), ports)
    return restore(spec, newest(spec.name, ports), ports)


def clone(spec: ClusterSpec, snapshot: SnapshotId, ports: Ports, *, share_trust: bool) -> UpResult:
    """Make another cluster of a snapshot, and prove it; ``spec`` names it.

    A cluster that was made of this very snapshot is started and proved as it is.

    :raises UsageError: if there is another cluster of that name, or the saved one is strict and
        ``share_trust`` does not allow that both have the same authorities.
    :raises BootstrapError: as :func:`restore` does.
    """
    with ports.lock():
        found = ports.snapshots.find(snapshot)
        _refuse_shared_trust(spec, found, share_trust=share_trust)
        existing = existing_nodes(spec.name, ports.hypervisor)
        origin = ports.volumes.origin(spec.name)
        if existing and origin == Origin(snapshot=str(snapshot), is_complete=True):
            return start_machines(spec, (), ports)
        if existing and (origin is None or origin.snapshot != str(snapshot)):
            raise UsageError(
                f"There is a cluster '{spec.name}' already, which was not made of '{snapshot}'.",
                hint=f"bootstrap down {spec.name}",
            )
        return _restored(spec, found, ports)


def _refuse_unrelated(spec: ClusterSpec, snapshot: SnapshotId, ports: Ports) -> None:
    origin = ports.volumes.origin(spec.name)
    if origin is None or origin.snapshot != str(snapshot):
        raise UsageError(
            f"Cluster '{spec.name}' was not made of snapshot '{snapshot}'.",
            hint=f"bootstrap up {spec.name} --from {snapshot}",
        )


def _restored(spec: ClusterSpec, snapshot: Snapshot, ports: Ports) -> UpResult:
    existing = existing_nodes(spec.name, ports.hypervisor)
    spec = _saved_spec(spec, snapshot, ports)
    with ports.events.step(Step.CHECK_HOST, "Checking the snapshot"):
        saved = _Saved(snapshot, readable_images(snapshot, ports))
        ports.host.check(spec, running_mib=running_mib(existing), allow_overcommit=False)
        ports.snapshots.check(snapshot)
    title = f"Restoring cluster '{spec.name}' from snapshot '{snapshot.id}'"
    try:
        with ports.events.step(Step.RESTORE, title):
            _restore_machines(spec, saved, existing, ports)
    except BootstrapError as error:
        raise _with_removal(error, spec, existing, ports) from error
    return start_machines(spec, (), ports)


def _restore_machines(
    spec: ClusterSpec, saved: _Saved, existing: Sequence[Domain], ports: Ports
) -> None:
    snapshot = saved.snapshot
    files = ports.snapshots.files(snapshot.id)
    names = [node.name for node in snapshot.nodes]
    restore_markers(spec.name, existing, ports)
    # What takes long comes first: until it is done, the cluster is what it was.
    at_once(lambda name: ports.volumes.stage_disk(spec.name, name, files.disk(name)), names)
    ports.volumes.write_origin(spec.name, Origin(snapshot=str(snapshot.id), is_complete=False))
    archives = [
        FoundArchive(path=files.archive(one.file), images=tuple(one.images))
        for one in snapshot.archives
    ]
    ports.archives.restore(spec.name, archives)
    staying = _make_room(snapshot, existing, ports)
    keys, is_own = ports.snapshots.keys(snapshot.id), snapshot.id.cluster == spec.name
    ports.trust.restore(keys, with_ssh=is_own)
    with ports.host.allocation():
        plan = plan_cluster(
            spec, ports, existing=staying, names=names, acceleration=snapshot.acceleration
        )
        ensure_switch(plan, ports)
        ensure_domains(plan, ports, saved.images, existing=staying)
    _ensure_disks(plan, saved.images, ports)
    ports.hypervisor.start_domain(plan.switch.domain_name)
    ports.hypervisor.restore_memory(
        {node.domain_name: files.memory(node.name) for node in plan.nodes}
    )
    for node in plan.nodes:
        ports.hypervisor.start_domain(node.domain_name)
    if not is_own:
        give_own_keys(plan, keys, ports)
    ports.volumes.write_origin(spec.name, Origin(snapshot=str(snapshot.id), is_complete=True))


def _make_room(snapshot: Snapshot, existing: Sequence[Domain], ports: Ports) -> Sequence[Domain]:
    """Cut the power of all nodes, remove those that are not in the snapshot, return the others."""
    # A clone has SSH keys of its own.
    is_clone = any(domain.mark.cluster != snapshot.id.cluster for domain in existing)
    ignored = {"keys"} if is_clone else set()
    saved = {node.name: _without(node.facts, ignored) for node in snapshot.nodes}
    # Each takes a second or two, in which the kernel takes back the memory of the node.
    at_once(lambda domain: ports.hypervisor.power_off_domain(domain.domain_name), existing)
    staying = [
        domain
        for domain in existing
        if saved.get(domain.name) == _without(domain.mark.facts, ignored)
    ]
    for domain in existing:
        if domain not in staying:
            ports.hypervisor.remove_domain(domain.uuid)
            ports.volumes.remove_node(domain.mark.cluster, domain.name)
            ports.trust.remove_node_keys(domain.name)
    return staying


def _without(facts: Mapping[str, str], names: Collection[str]) -> Mapping[str, str]:
    return {name: text for name, text in facts.items() if name not in names}


def _ensure_disks(plan: ClusterPlan, images: NodeImages, ports: Ports) -> None:
    """Give each node its disks; its seed, which it has read long ago, is as empty as it was."""
    for node in plan.nodes:
        ports.volumes.use_staged_disk(node, image=images[node.kubelet_version])
        ports.volumes.ensure_seed_volume(node, seed_files(node, ports.trust.node_keys(node.name)))
        ports.volumes.remove_seed_volume(node)


def _saved_spec(spec: ClusterSpec, snapshot: Snapshot, ports: Ports) -> ClusterSpec:
    """Return what the saved cluster was, under the name of ``spec``."""
    marks = [
        Mark(
            install_id=ports.site.install_id,
            owner_uid=ports.site.owner_uid,
            cluster=spec.name,
            node=node.name,
            role=node.role,
            ports={},
            directory=ports.site.volume_directory(spec.name) / node.name,
            facts=node.facts,
            created=snapshot.created,
        )
        for node in snapshot.nodes
    ]
    saved = [
        Domain(
            domain_name=domain_name(spec.name, mark.node),
            uuid=ports.site.install_id,
            state=DomainState.SHUT_OFF,
            reason="",
            is_emulated=snapshot.acceleration is Acceleration.EMULATED,
            mark=mark,
        )
        for mark in marks
    ]
    profile = SecurityProfile(saved[0].mark.facts["securityProfile"])
    spec = replace(spec, security=replace(spec.security, profile=profile))
    return keep_existing(spec, saved, frozenset(), names=[mark.node for mark in marks])


def _refuse_shared_trust(spec: ClusterSpec, snapshot: Snapshot, *, share_trust: bool) -> None:
    profile = snapshot.nodes[0].facts.get("securityProfile")
    if profile == SecurityProfile.STRICT and not share_trust:
        raise UsageError(
            f"Snapshot '{snapshot.id}' is of a strict cluster.",
            details="A clone has its authorities and its keys: who can sign for one of the two "
            "clusters can sign for both.",
            hint=f"bootstrap up {spec.name} --from {snapshot.id} --share-trust",
        )


def _with_removal(
    error: BootstrapError, spec: ClusterSpec, existing: Sequence[Domain], ports: Ports
) -> BootstrapError:
    """Return the same error; a cluster that began in this run is removed again."""
    if existing:
        origin = ports.volumes.origin(spec.name)
        is_broken = origin is not None and not origin.is_complete
        said = "The cluster is half restored; the same command goes on." if is_broken else ""
    else:
        said = report_removal(spec.name, ports)
    return error.with_details(said)
