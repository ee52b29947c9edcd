"""Judge whether a snapshot can be restored on this host, now."""

from datetime import UTC, datetime

from bootstrap.errors import StateError
from bootstrap.model.cluster import NodeImages
from bootstrap.model.layout import LAYOUT
from bootstrap.model.plan import Acceleration
from bootstrap.model.snapshot import Snapshot
from bootstrap.workflow.environment import Ports


def readable_images(snapshot: Snapshot, ports: Ports) -> NodeImages:
    """Return the images of a snapshot that can be restored on this host, now.

    :raises StateError: with every reason why it cannot.
    """
    faults = []
    if snapshot.layout != LAYOUT:
        faults.append(f"its layout is {snapshot.layout}, and this version has {LAYOUT}")
    found = {key: ports.images.find(key) for key in snapshot.images}
    images = {key: image for key, image in found.items() if image is not None}
    for key, sha256 in snapshot.images.items():
        if key not in images:
            faults.append(f"its node image '{key}' is gone")
        elif images[key].sha256 != sha256:
            faults.append(f"its node image '{key}' was built anew, to other bytes")
    # A machine type is that of one minor version, and so is what QEMU writes for it.
    qemu = ports.hypervisor.version()
    if qemu.split(".")[:2] != snapshot.reader.qemu.split(".")[:2]:
        faults.append(f"QEMU {snapshot.reader.qemu} wrote it, and this host has {qemu}")
    if snapshot.acceleration is Acceleration.KVM:
        faults += _other_processor(snapshot.reader.processor, ports.host.processor())
        image = next(iter(images.values()), None)
        if image and ports.host.acceleration(image) is not Acceleration.KVM:
            faults.append("it ran by KVM, which does not work here")
    end = snapshot.certificates_end
    if end is not None and end <= datetime.fromisoformat(ports.now()).astimezone(UTC):
        faults.append(f"its certificates ended on {end:%Y-%m-%d}")
    if faults:
        raise StateError(
            f"Snapshot '{snapshot.id}' cannot be restored here.",
            details="\n".join(faults),
            hint=f"bootstrap snapshot show {snapshot.cluster} {snapshot.name}",
        )
    return {
        node.facts.get("kubeletVersion", snapshot.kubernetes_version): images[node.facts["image"]]
        for node in snapshot.nodes
    }


def _other_processor(saved: str, here: str) -> list[str]:
    if saved == here:
        return []
    (model, _, had), (other, _, has) = saved.partition(": "), here.partition(": ")
    missing = sorted(set(had.split()) - set(has.split()))
    lacks = f", which lacks {' '.join(missing)}" if missing else ""
    return [f"it was saved on '{model}', and this host has '{other}'{lacks}"]
