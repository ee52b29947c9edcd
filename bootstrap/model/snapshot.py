"""A whole ready cluster, saved: what it is called, and all that is known of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bootstrap.model.loading import LoadableImage
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import NodeRole

SNAPSHOT_NAME_RULE = "use 1 to 40 of a-z, 0-9 and '-', starting with a letter or a digit"
_SNAPSHOT_NAME = re.compile(r"[a-z0-9][-a-z0-9]{0,39}\Z")


@dataclass(frozen=True, slots=True, order=True)
class SnapshotId:
    """Names a snapshot: the cluster that was saved, and a name among that cluster's snapshots.

    :raises ValueError: if the second one is no name, with the rule in the message.
    """

    cluster: ClusterName
    name: str

    def __post_init__(self) -> None:
        if not _SNAPSHOT_NAME.match(self.name):
            raise ValueError(f"{self.name[:60]!r} is not a snapshot name; {SNAPSHOT_NAME_RULE}")

    def __str__(self) -> str:
        return f"{self.cluster}/{self.name}"


def snapshot_id(text: str) -> SnapshotId:
    """Read what the text of a :class:`SnapshotId` says.

    :raises ValueError: if it is anything else.
    """
    cluster, _, name = text.rpartition("/")
    return SnapshotId(ClusterName(cluster), name)


def is_snapshot_name(text: str) -> bool:
    """Tell whether a snapshot can be called so."""
    return _SNAPSHOT_NAME.match(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedNode:
    """One node of a saved cluster."""

    name: str
    role: NodeRole
    #: Those of its domain's mark.
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """One file of a snapshot or of a bundle."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedArchive:
    """An archive of images that were loaded into the nodes; nodes to come get them too."""

    #: As the cluster kept it; see :func:`bootstrap.model.loading.is_archive_file`.
    file: str
    images: Sequence[LoadableImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The host that wrote a machine's memory; only one that is like it can read it."""

    #: As ``7.2.22``.
    qemu: str
    #: The processor's model; empty under emulation, where it does not matter.
    processor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A cluster that was verified and then saved, without its files."""

    cluster: str
    name: str
    #: In ISO 8601, with its zone.
    created: str
    note: str
    #: The layout of the cluster, as in marks.
    layout: int
    kubernetes_version: str
    acceleration: Acceleration
    #: The images that the nodes' disks lie over: by their keys, the SHA-256 of their disks.
    images: Mapping[str, str]
    reader: Reader
    #: When the first of the cluster's certificates ends; None if that is not known.
    certificates_end: datetime | None
    nodes: Sequence[SavedNode]
    archives: Sequence[SavedArchive]
    #: By their names in the snapshot's directory.
    files: Mapping[str, SavedFile]

    @property
    def id(self) -> SnapshotId:
        """What the snapshot is called."""
        return SnapshotId(ClusterName(self.cluster), self.name)

    @property
    def size_bytes(self) -> int:
        """What its files have, all together."""
        return sum(file.size_bytes for file in self.files.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the machines of a cluster came from, if not from nothing."""

    #: A snapshot's id, as text.
    snapshot: str
    #: Whether all of them were restored; a run that was killed leaves it false.
    is_complete: bool
