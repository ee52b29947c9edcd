"""What `snapshot export` and `import` do: a snapshot goes to another host in one file."""

from pathlib import Path

from bootstrap.errors import StateError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.layout import LAYOUT
from bootstrap.model.snapshot import Snapshot, SnapshotId
from bootstrap.workflow.environment import SitePorts


def export_snapshot(snapshot: SnapshotId, target: Path, ports: SitePorts) -> Snapshot:
    """Write a snapshot, checked, with the node images that its disks lie over, into a new file.

    :raises NotFoundError: if there is no such snapshot.
    :raises StateError: if it is damaged, or its image is gone.
    :raises UsageError: if the file exists.
    """
    with ports.cluster(snapshot.cluster).lock():
        found = ports.snapshots.find(snapshot)
        images = [_saved_image(found, key, ports) for key in found.images]
        ports.snapshots.check(found)
        ports.snapshots.export(found, images, target)
        return found


def import_snapshot(source: Path, ports: SitePorts) -> Snapshot:
    """Take a snapshot out of a file, with its node images if they are not here.

    :raises StateError: if the file is damaged, or was made by another version of the tool.
    :raises UsageError: if there is a snapshot of that name.
    :raises HostError: if there is too little room.
    """
    snapshot = ports.snapshots.exported(source)
    if snapshot.layout != LAYOUT:
        raise StateError(
            f"File '{source}' was written by another version of this tool.",
            details=f"Its layout is {snapshot.layout}, and this version has {LAYOUT}.",
            hint="bootstrap version",
        )
    cluster = snapshot.id.cluster
    with ports.cluster(cluster).lock(), ports.snapshots.importing(source) as images:
        for image in images:
            adopted = ports.images.adopt(image)
            if adopted.sha256 != snapshot.images[image.name]:
                raise StateError(
                    f"File '{source}' holds another node image than its snapshot was saved with.",
                    hint="bootstrap snapshot list",
                )
    return snapshot


def _saved_image(snapshot: Snapshot, key: str, ports: SitePorts) -> NodeImage:
    image = ports.images.find(key)
    if image is None or image.sha256 != snapshot.images[key]:
        raise StateError(
            f"The node image '{key}' of snapshot '{snapshot.id}' is gone.",
            details="The saved disks are of no use without it.",
            hint=f"bootstrap snapshot delete {snapshot.cluster} {snapshot.name}",
        )
    return image
