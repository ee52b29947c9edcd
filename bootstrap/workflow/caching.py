"""What `up --cached` does: clone the snapshot of exactly this cluster, or make it for the next."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from bootstrap.errors import NotFoundError, UsageError
from bootstrap.model.cluster import NodeImages
from bootstrap.model.events import Step
from bootstrap.model.layout import LAYOUT
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.snapshot import Origin, SnapshotId, snapshot_id
from bootstrap.model.sources import Source
from bootstrap.model.spec import ClusterSpec, SecurityProfile
from bootstrap.resources import tool_digest
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.images import wanted_images
from bootstrap.workflow.membership import existing_nodes
from bootstrap.workflow.restoring import clone, restore
from bootstrap.workflow.shape import refuse_kubelets
from bootstrap.workflow.snapshots import SaveOptions, save
from bootstrap.workflow.up import UpOptions, UpResult, up

#: The snapshots that the tool named itself are those of this cluster, which does not exist.
CACHE = ClusterName("cached")
_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResult:
    """A verified cluster, and how it was made."""

    verified: UpResult
    #: The snapshot that it is a clone of, or that was saved of it; None if it existed before.
    snapshot: SnapshotId | None
    is_clone: bool


def up_cached(
    spec: ClusterSpec, ports: Ports, options: UpOptions, *, share_trust: bool
) -> CachedResult:
    """Clone the snapshot of a cluster like ``spec``; without one, make the cluster and save it.

    What decides a cluster is compared: all but its name, its ports and its paths. If another
    process makes the same at this moment, this one waits and clones. A cluster of that name that
    exists is treated as by `up`.

    :raises UsageError: if the cluster is strict and ``share_trust`` does not allow that all its
        clones have the same authorities.
    :raises BootstrapError: as `up`, `snapshot save` and `snapshot restore` do.
    """
    origin = ports.volumes.origin(spec.name)
    if existing_nodes(spec.name, ports.hypervisor):
        if origin and not origin.is_complete:
            again = restore(spec, snapshot_id(origin.snapshot), ports)
            return CachedResult(verified=again, snapshot=None, is_clone=True)
        return CachedResult(verified=up(spec, ports, options), snapshot=None, is_clone=False)
    if spec.security.profile is SecurityProfile.STRICT and not share_trust:
        raise UsageError(
            "A strict cluster shares no authority, so there is no snapshot of it for others.",
            hint=f"bootstrap up {spec.name} --cached --share-trust",
        )
    wanted = _snapshot_of(spec, ports)
    with ports.snapshots.making(wanted):
        if wanted not in ports.snapshots.names(CACHE):
            made = up(spec, ports, options)
            ports.events.note("No snapshot of such a cluster: made it, and save it for the next.")
            saved = save(spec, wanted, ports, SaveOptions(note="up --cached", is_verified=True))
            # For `reset`, which has no snapshot of that name to go back to.
            ports.volumes.write_origin(spec.name, Origin(snapshot=str(wanted), is_complete=True))
            return CachedResult(
                verified=replace(saved.verified or made, changed=made.changed),
                snapshot=wanted,
                is_clone=False,
            )
    ports.events.note(f"Cloning snapshot '{wanted}'.")
    cloned = clone(spec, wanted, ports, share_trust=share_trust)
    return CachedResult(verified=cloned, snapshot=wanted, is_clone=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """The snapshot that `up --cached` of a cluster clones."""

    snapshot: SnapshotId
    is_saved: bool


def cached_snapshot(spec: ClusterSpec, ports: Ports) -> Cached:
    """Name the snapshot that `up --cached` would clone or save; makes nothing.

    :raises NotFoundError: if there is no node image, on which the name depends.
    """
    refuse_kubelets(spec)
    name = SnapshotId(CACHE, _key(spec, _built_images(spec, ports), ports))
    return Cached(snapshot=name, is_saved=name in ports.snapshots.names(CACHE))


def _built_images(spec: ClusterSpec, ports: Ports) -> NodeImages:
    version, source = spec.kubernetes_version, spec.source
    images = {}
    for kubelet in spec.kubelet_versions:
        image = ports.images.expected(version, source, kubelet_version=kubelet)
        if image is None:
            raise NotFoundError(
                "The snapshot has no name yet: it depends on the node image, which is not built.",
                hint=f"bootstrap image build --kubernetes-version {version} "
                f"--kubelet-version {kubelet} --source {source}",
            )
        images[kubelet] = image
    return images


def _snapshot_of(spec: ClusterSpec, ports: Ports) -> SnapshotId:
    refuse_kubelets(spec)
    with ports.events.step(Step.PREPARE_IMAGE, "Preparing the node image"):
        return SnapshotId(CACHE, _key(spec, wanted_images(spec, {}, ports), ports))


def _key(spec: ClusterSpec, images: NodeImages, ports: Ports) -> str:
    acceleration = ports.host.acceleration(images[spec.kubelet_versions[0]])
    groups = (replace(one, kubelet_version=spec.kubelet_of(one)) for one in spec.node_groups)
    parts = {
        "spec": asdict(
            replace(
                spec,
                name=CACHE,
                hypervisor_uri=None,
                # What it gave is in the image.
                source=Source.AUTO,
                node_groups=tuple(groups),
                networking=replace(spec.networking, api_server_port=None),
            )
        ),
        "images": {kubelet: image.key for kubelet, image in images.items()},
        "layout": LAYOUT,
        "acceleration": acceleration.value,
        "qemu": ports.hypervisor.version(),
        "processor": ports.host.processor() if acceleration is Acceleration.KVM else "",
        "hypervisor": ports.site.hypervisor_uri,
        "tool": tool_digest(),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]
