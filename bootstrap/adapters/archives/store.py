"""Keep the archives of each cluster beside its disks, until `down` removes both."""

import json
import shlex
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import partial
from io import BufferedIOBase
from pathlib import Path

from bootstrap.adapters.archives.engines import save_image
from bootstrap.adapters.archives.reading import opened, read_archive
from bootstrap.adapters.archives.rewriting import write_without
from bootstrap.adapters.copying import copy_file
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import (
    private_directory,
    sha256_of,
    sweep,
    sync,
    temporary_beside,
    write_atomically,
)
from bootstrap.adapters.locks import locked
from bootstrap.adapters.marker import Owner, ensure_part, is_ours
from bootstrap.errors import StateError
from bootstrap.model.loading import FoundArchive, KeptArchive, LoadableImage
from bootstrap.model.names import ClusterName

_DIRECTORY = "images"
_CHUNK = 1 << 20
#: A disk has whole sectors.
_SECTOR = 512
_SAVE_TIMEOUT_S = 3600


class FileArchives:
    """Implements :class:`bootstrap.ports.ImageArchives`; see there for the promises.

    ``root`` holds the clusters' volumes, and ``cache`` for a while what engines save. An
    archive ``KEY.tar`` is kept as long as ``KEY.json`` lists names of it.
    """

    def __init__(
        self,
        root: Path,
        cache: Path,
        install_id: uuid.UUID,
        *,
        hypervisor: str = "",
        mode: int = 0o700,
    ) -> None:
        self._root, self._saved = root, cache / "saved"
        self._owner = Owner(install_id=install_id, hypervisor=hypervisor)
        self._mode = mode

    @contextmanager
    def found(self, sources: Sequence[str]) -> Iterator[Sequence[FoundArchive]]:
        """See the port."""
        with ExitStack() as stack:
            files = [Path(source) if Path(source).exists() else None for source in sources]
            if None in files:
                stack.enter_context(self._saving())
            paths = [
                file or self._save(source, number)
                for number, (source, file) in enumerate(zip(sources, files, strict=True))
            ]
            yield [FoundArchive(path=path, images=read_archive(path)) for path in paths]

    @contextmanager
    def adding(self, cluster: ClusterName, archive: FoundArchive) -> Iterator[KeptArchive]:
        """See the port."""
        with explained("keep an archive of images"):
            directory = self._ensure_directory(cluster)
            self._sweep(directory)
            path = self._published(directory, partial(_copy, archive.path))
            size = path.stat().st_size
            kept = KeptArchive(path=path, size_bytes=size, images=archive.images)
        try:
            yield kept
        except Exception:
            # After a signal the next one does it: a machine may still read the file.
            self._sweep(directory)
            raise
        with explained("keep an archive of images"):
            self._forget(cluster, {image.name for image in kept.images}, but=kept.path)
            _write(kept)

    @explained("list the archives of images")
    def kept(self, cluster: ClusterName) -> Sequence[KeptArchive]:
        """See the port."""
        directory = self._root / str(cluster)
        if not is_ours(directory, self._owner):
            return []
        return [_read(names) for names in sorted((directory / _DIRECTORY).glob("*.json"))]

    @explained("save an archive of images")
    def save(self, archive: KeptArchive, target: Path) -> None:
        """See the port."""
        copy_file(archive.path, target)
        target.chmod(0o600)

    @explained("restore the archives of images")
    def restore(self, cluster: ClusterName, archives: Sequence[FoundArchive]) -> None:
        """See the port."""
        if not archives and not (self._root / str(cluster) / _DIRECTORY).exists():
            return
        directory = self._ensure_directory(cluster)
        paths = set()
        for one in archives:
            path = directory / one.path.name
            with temporary_beside(path) as (temporary, _):
                copy_file(one.path, temporary)
                _publish(temporary, path)
            _write(KeptArchive(path=path, size_bytes=path.stat().st_size, images=one.images))
            paths.add(path)
        for names in directory.glob("*.json"):
            if names.with_suffix(".tar") not in paths:
                names.unlink()
        self._sweep(directory)

    @explained("forget an archive of images")
    def forget(self, cluster: ClusterName, name: str) -> bool:
        """See the port."""
        return self._forget(cluster, {name})

    def _ensure_directory(self, cluster: ClusterName) -> Path:
        path = self._root / str(cluster) / _DIRECTORY
        return ensure_part(path, self._owner, mode=self._mode, parents=self._mode)

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Have an empty directory for what engines save, which no other process uses meanwhile."""
        lock = self._saved.with_name("saved.lock")
        with locked(lock, what="images of a container engine", timeout_s=_SAVE_TIMEOUT_S):
            try:
                shutil.rmtree(self._saved, ignore_errors=True)
                private_directory(self._saved)
                yield
            finally:
                shutil.rmtree(self._saved, ignore_errors=True)

    def _save(self, source: str, number: int) -> Path:
        file = self._saved / f"{number}.tar"
        save_image(source, file)
        return file

    def _forget(self, cluster: ClusterName, names: set[str], *, but: Path | None = None) -> bool:
        holders = [
            one
            for one in self.kept(cluster)
            if one.path != but and names & {image.name for image in one.images}
        ]
        for holder in holders:
            left = tuple(image for image in holder.images if image.name not in names)
            if left:
                fill = partial(_copy_without, holder.path, names)
                path = self._published(holder.path.parent, fill)
                _write(replace(holder, path=path, images=left))
            holder.path.with_suffix(".json").unlink()
            holder.path.unlink()
        return bool(holders)

    def _published(self, directory: Path, fill: Callable[[BufferedIOBase], None]) -> Path:
        """Write an archive that is whole or absent, and return its path."""
        with temporary_beside(directory / "archive.tar") as (temporary, _):
            with temporary.open("wb") as target:
                fill(target)
                target.write(bytes(-target.tell() % _SECTOR))
            return _publish(temporary, directory / f"{sha256_of(temporary)}.tar")

    def _sweep(self, directory: Path) -> None:
        """Remove what killed runs left, and archives of which no image is wanted."""
        sweep(directory)
        for path in directory.glob("*.tar"):
            if not path.with_suffix(".json").exists():
                path.unlink()


def _publish(temporary: Path, path: Path) -> Path:
    sync(temporary)
    # For the user of the system daemon too, who passes the directories.
    temporary.chmod(0o444)
    if not path.exists():
        path.hardlink_to(temporary)
    return path


def _read(names: Path) -> KeptArchive:
    path = names.with_suffix(".tar")
    try:
        images = tuple(LoadableImage(**entry) for entry in json.loads(names.read_text()))
        return KeptArchive(path=path, size_bytes=path.stat().st_size, images=images)
    except (ValueError, TypeError, FileNotFoundError) as error:
        raise StateError(
            f"The list of loaded images '{names}' is damaged, or its archive is gone.",
            details=f"{error}\nWithout the list, new nodes do not get these images.",
            hint=f"rm {shlex.quote(str(names))}",
        ) from error


def _write(kept: KeptArchive) -> None:
    names = json.dumps([asdict(image) for image in kept.images])
    write_atomically(kept.path.with_suffix(".json"), names)


def _copy(source: Path, target: BufferedIOBase) -> None:
    with opened(source) as file:
        shutil.copyfileobj(file, target, _CHUNK)


def _copy_without(source: Path, names: Collection[str], target: BufferedIOBase) -> None:
    write_without(source, target, names)
