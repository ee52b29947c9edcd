"""Keep each snapshot in a directory of its own, under its cluster's."""

import contextlib
import shlex
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import TEMPORARY_PREFIX, private_directory
from bootstrap.adapters.locks import locked
from bootstrap.adapters.manifested import MANIFEST
from bootstrap.adapters.marker import Owner, claim, is_ours, remove, remove_part
from bootstrap.adapters.snapshots.archive import extract, read_manifest, write_archive
from bootstrap.adapters.snapshots.files import (
    KEYS,
    SNAPSHOT,
    Draft,
    Files,
    check_files,
    check_names,
    damaged,
)
from bootstrap.adapters.space import refuse_full
from bootstrap.errors import NotFoundError, StateError, UsageError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.names import ClusterName, cluster_names
from bootstrap.model.snapshot import Snapshot, SnapshotId, is_snapshot_name
from bootstrap.ports import SnapshotFiles

_SECRETS = TypeAdapter(dict[str, str])
#: The names of drafts begin so; no snapshot's name does.
_DRAFT = f"{TEMPORARY_PREFIX}draft."
#: An emulated cluster whose artefacts have to be built first takes half an hour.
_MAKING_TIMEOUT_S = 2 * 3600


class SnapshotStore:
    """Implements :class:`bootstrap.ports.Snapshots` under one directory of this user."""

    def __init__(self, root: Path, install_id: uuid.UUID, *, locks: Path) -> None:
        self._root, self._locks = root, locks
        self._owner = Owner(install_id=install_id)

    @contextlib.contextmanager
    def saving(self, snapshot: SnapshotId, *, needed_bytes: int) -> Iterator[Draft]:
        """See the port."""
        final = self._path(snapshot)
        with explained("begin a snapshot"):
            if final.exists():
                raise UsageError(
                    f"There is a snapshot '{snapshot}' already.",
                    hint=f"bootstrap snapshot delete {snapshot.cluster} {snapshot.name}",
                )
            self.sweep(snapshot.cluster)
            private_directory(self._root)
            claim(final.parent, self._owner)
            hint = "bootstrap snapshot list"
            refuse_full(final.parent, needed_bytes, what="a snapshot", hint=hint)
            draft = private_directory(final.parent / f"{_DRAFT}{snapshot.name}")
        try:
            yield Draft(draft, final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            self._remove_if_empty(snapshot.cluster)

    @contextlib.contextmanager
    def making(self, snapshot: SnapshotId) -> Iterator[None]:
        """See the port."""
        path = self._locks / f"snapshot-{snapshot.cluster}-{snapshot.name}.lock"
        with locked(path, what=f"snapshot '{snapshot}'", timeout_s=_MAKING_TIMEOUT_S):
            yield

    @explained("list the snapshots")
    def list(self, cluster: ClusterName | None = None) -> Sequence[Snapshot]:
        """See the port."""
        names = self.clusters() if cluster is None else [cluster]
        return [one for name in names for one in self._of_cluster(name)]

    @explained("list the snapshots")
    def names(self, cluster: ClusterName) -> Sequence[SnapshotId]:
        """See the port."""
        directory = self._root / str(cluster)
        if not is_ours(directory, self._owner):
            return []
        found = sorted(path.name for path in directory.iterdir() if path.is_dir())
        return [SnapshotId(cluster, name) for name in found if is_snapshot_name(name)]

    @explained("read a snapshot")
    def find(self, snapshot: SnapshotId) -> Snapshot:
        """See the port."""
        if not self._path(snapshot).is_dir():
            raise NotFoundError(
                f"There is no snapshot '{snapshot}'.", hint="bootstrap snapshot list"
            )
        return self._read(snapshot)

    def files(self, snapshot: SnapshotId) -> SnapshotFiles:
        """See the port."""
        return Files(self._path(snapshot))

    @explained("read the keys of a snapshot")
    def keys(self, snapshot: SnapshotId) -> Mapping[str, str]:
        """See the port."""
        try:
            return _SECRETS.validate_json((self._path(snapshot) / KEYS).read_bytes())
        except (ValidationError, FileNotFoundError) as error:
            raise damaged(snapshot, KEYS) from error

    @explained("check a snapshot")
    def check(self, snapshot: Snapshot) -> None:
        """See the port."""
        check_files(snapshot, self._path(snapshot.id))

    @explained("export a snapshot")
    def export(self, snapshot: Snapshot, images: Sequence[NodeImage], target: Path) -> None:
        """See the port."""
        if target.exists():
            raise UsageError(
                f"File '{target}' exists, so it was left alone.",
                hint=f"ls -l {shlex.quote(str(target))}",
            )
        places = [image.disk.parent for image in images]
        write_archive(snapshot, self._path(snapshot.id), places, target)

    @explained("read an exported snapshot")
    def exported(self, source: Path) -> Snapshot:
        """See the port."""
        try:
            found = SNAPSHOT.validate_json(read_manifest(source))
            check_names(found)
        except ValueError as error:  # pydantic's own error is one
            first = str(error).partition("\n")[0]
            raise StateError(
                f"File '{source}' is not a snapshot of this version.",
                details=f"Its manifest is wrong: {first}.",
                hint="bootstrap snapshot list",
            ) from error
        return found

    @contextlib.contextmanager
    def importing(self, source: Path) -> Iterator[Sequence[Path]]:
        """See the port."""
        snapshot = self.exported(source)
        needed = snapshot.size_bytes + source.stat().st_size
        with self.saving(snapshot.id, needed_bytes=needed) as draft:
            with explained("import a snapshot"):
                images = extract(source, snapshot, draft.directory)
                check_files(snapshot, draft.directory)
            yield images
            with explained("import a snapshot"):
                for image in images:
                    shutil.rmtree(image)
                draft.publish_as_it_is()

    @explained("delete a snapshot")
    def delete(self, snapshot: SnapshotId) -> bool:
        """See the port. Without its name no command finds it, so a kill leaves no part of one."""
        path = self._path(snapshot)
        if not path.is_dir():
            return False
        if not is_ours(path.parent, self._owner):
            # For its error, which says whose it is.
            remove_part(path.parent, snapshot.name, self._owner)
        gone = path.with_name(f"{_DRAFT}{snapshot.name}")
        shutil.rmtree(gone, ignore_errors=True)
        path.rename(gone)
        shutil.rmtree(gone)
        self._remove_if_empty(snapshot.cluster)
        return True

    @explained("remove unfinished snapshots")
    def sweep(self, cluster: ClusterName) -> bool:
        """See the port."""
        directory = self._root / str(cluster)
        if not is_ours(directory, self._owner):
            return False
        leftovers = list(directory.glob(f"{_DRAFT}*"))
        for leftover in leftovers:
            shutil.rmtree(leftover)
        self._remove_if_empty(cluster)
        return bool(leftovers)

    @explained("delete the snapshots of a cluster")
    def delete_all(self, cluster: ClusterName) -> bool:
        """See the port."""
        is_removed = remove(self._root / str(cluster), self._owner)
        self._remove_root_if_empty()
        return is_removed

    @explained("list the snapshots")
    def clusters(self) -> Sequence[ClusterName]:
        """List the clusters that have a directory of snapshots."""
        found = sorted(self._root.glob("*"))
        return cluster_names(path.name for path in found if is_ours(path, self._owner))

    def _of_cluster(self, cluster: ClusterName) -> Sequence[Snapshot]:
        found = [self._read(name) for name in self.names(cluster)]
        return sorted(found, key=lambda snapshot: (snapshot.created, snapshot.name))

    def _read(self, snapshot: SnapshotId) -> Snapshot:
        try:
            found = SNAPSHOT.validate_json((self._path(snapshot) / MANIFEST).read_bytes())
        except (ValidationError, FileNotFoundError) as error:
            raise damaged(snapshot, MANIFEST) from error
        # A copy of a directory has a copy of the manifest.
        if (found.cluster, found.name) != (str(snapshot.cluster), snapshot.name):
            raise damaged(snapshot, f"{MANIFEST}, which is that of {found.cluster}/{found.name}")
        return found

    def _remove_if_empty(self, cluster: ClusterName) -> None:
        directory = self._root / str(cluster)
        if not any(path.is_dir() for path in directory.iterdir()):
            remove(directory, self._owner)
            self._remove_root_if_empty()

    def _remove_root_if_empty(self) -> None:
        with contextlib.suppress(OSError):
            self._root.rmdir()

    def _path(self, snapshot: SnapshotId) -> Path:
        return self._root / str(snapshot.cluster) / snapshot.name
