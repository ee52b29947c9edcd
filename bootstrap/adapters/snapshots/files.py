"""The files of one snapshot, or of one that is being saved."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import sha256_of, sync
from bootstrap.adapters.manifested import MANIFEST
from bootstrap.errors import StateError
from bootstrap.model.images import is_image_key
from bootstrap.model.keys import check_alias
from bootstrap.model.loading import is_archive_file
from bootstrap.model.names import ClusterName
from bootstrap.model.snapshot import SavedFile, Snapshot, SnapshotId
from bootstrap.threads import at_once

KEYS = "keys.json"
SNAPSHOT = TypeAdapter(Snapshot)


class Files:
    """Implements :class:`bootstrap.ports.SnapshotFiles`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def memory(self, node: str) -> Path:
        """See the port."""
        check_alias(node)
        return self.directory / f"{node}.memory"

    def disk(self, node: str) -> Path:
        """See the port."""
        check_alias(node)
        return self.directory / f"{node}.qcow2"

    def archive(self, file: str) -> Path:
        """See the port."""
        if not is_archive_file(file):
            raise ValueError(f"{file[:80]!r} is not the file of an archive of images")
        return self.directory / file


class Draft(Files):
    """Implements :class:`bootstrap.ports.SnapshotDraft`."""

    def __init__(self, directory: Path, final: Path) -> None:
        super().__init__(directory)
        self._final = final

    @explained("publish a snapshot")
    def publish(self, snapshot: Snapshot, keys: Mapping[str, str]) -> Snapshot:
        """See the port."""
        _write(self.directory / KEYS, json.dumps(dict(keys)).encode())
        paths = sorted(self.directory.iterdir())
        files = dict(zip((path.name for path in paths), at_once(_described, paths), strict=True))
        whole = replace(snapshot, files=files)
        _write(self.directory / MANIFEST, SNAPSHOT.dump_json(whole, indent=2))
        self._rename()
        return whole

    def publish_as_it_is(self) -> None:
        """Make it a snapshot, with the manifest that is in it."""
        for path in self.directory.iterdir():
            sync(path)
        self._rename()

    def _rename(self) -> None:
        sync(self.directory)
        self.directory.rename(self._final)
        sync(self._final.parent)


def check_names(snapshot: Snapshot) -> None:
    """Refuse names that could lead out of a directory: a manifest may come from elsewhere.

    :raises ValueError: with the first such name.
    """
    files, nodes = Files(Path()), [node.name for node in snapshot.nodes]
    wanted = {KEYS, *(files.memory(node).name for node in nodes)}
    wanted |= {files.disk(node).name for node in nodes}
    wanted |= {files.archive(archive.file).name for archive in snapshot.archives}
    SnapshotId(ClusterName(snapshot.cluster), snapshot.name)
    if set(snapshot.files) != wanted:
        raise ValueError(f"it has other files than {', '.join(sorted(wanted))}")
    for key in snapshot.images:
        if not is_image_key(key):
            raise ValueError(f"{key[:60]!r} is not the key of a node image")


def check_files(snapshot: Snapshot, directory: Path) -> None:
    """Read and hash every file of a snapshot.

    :raises StateError: if one is missing, or is not what was saved.
    """
    names = sorted(snapshot.files)
    if missing := [name for name in names if not (directory / name).is_file()]:
        raise damaged(snapshot.id, ", ".join(missing))
    hashes = at_once(lambda name: sha256_of(directory / name), names)
    found = dict(zip(names, hashes, strict=True))
    wrong = [name for name in names if found[name] != snapshot.files[name].sha256]
    if wrong:
        raise damaged(snapshot.id, ", ".join(wrong))


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)
    sync(path)


def _described(path: Path) -> SavedFile:
    sync(path)
    return SavedFile(size_bytes=path.stat().st_size, sha256=sha256_of(path))


def damaged(snapshot: SnapshotId, what: str) -> StateError:
    """Return the error that tells which part of a snapshot is damaged."""
    return StateError(
        f"Snapshot '{snapshot}' is damaged: {what}.",
        details="Nothing was made of it.",
        hint=f"bootstrap snapshot delete {snapshot.cluster} {snapshot.name}",
    )
