"""Archives of container images in memory, kept with the volumes of their cluster."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap.errors import NotOursError, UsageError
from bootstrap.model.loading import FoundArchive, KeptArchive, LoadableImage
from bootstrap.model.names import ClusterName
from tests.fakes.recording import Fake, Journal
from tests.fakes.volumes import FakeVolumes


def an_image_named(name: str, content: str = "") -> LoadableImage:
    """Return an image; another content is another image of the same name."""
    digest = hashlib.sha256(f"{name} {content}".encode()).hexdigest()
    return LoadableImage(name=name, config=f"sha256:{digest}")


class FakeImageArchives(Fake):
    """Implements ``ImageArchives``; ``sources`` are the files of this host."""

    port = "archives"

    def __init__(self, volumes: FakeVolumes, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.sources: dict[str, tuple[LoadableImage, ...]] = {}
        #: What each file holds that is kept, or was.
        self.contents: dict[Path, tuple[LoadableImage, ...]] = {}
        self._volumes = volumes

    @contextlib.contextmanager
    def found(self, sources: Sequence[str]) -> Iterator[Sequence[FoundArchive]]:
        self.called("found", *sources[:1])
        for source in sources:
            if source not in self.sources:
                raise UsageError(f"Could not find '{source}'.", hint="bootstrap image load --help")
        yield [FoundArchive(path=Path(one), images=self.sources[one]) for one in sources]

    @contextlib.contextmanager
    def adding(self, cluster: ClusterName, archive: FoundArchive) -> Iterator[KeptArchive]:
        self.called("adding", cluster)
        held = self._held(cluster)
        directory = Path("/volumes") / str(cluster) / "images"
        new: dict[Path, object] = {}
        yield self._put(new, directory, archive.images)
        for image in archive.images:
            self._forget(held, image.name)
        held.update(new)
        self.changed("adding", cluster)

    def kept(self, cluster: ClusterName) -> Sequence[KeptArchive]:
        self.called("kept", cluster)
        files = self._volumes.held[str(cluster)].files.values() if self._has(cluster) else []
        found = [one for one in files if isinstance(one, KeptArchive)]
        return sorted(found, key=lambda one: one.path)

    def save(self, archive: KeptArchive, target: Path) -> None:
        self.called("save", archive.path.name)
        target.touch(mode=0o600)
        target.write_text(" ".join(image.name for image in self.contents[archive.path]))

    def restore(self, cluster: ClusterName, archives: Sequence[FoundArchive]) -> None:
        self.called("restore", cluster)
        held = self._held(cluster)
        directory = Path("/volumes") / str(cluster) / "images"
        for path in [path for path, one in held.items() if isinstance(one, KeptArchive)]:
            del held[path]
        for archive in archives:
            archive.path.read_text()
            self._put(held, directory, archive.images)
        self.changed("restore", cluster)

    def forget(self, cluster: ClusterName, name: str) -> bool:
        self.called("forget", cluster)
        return self._forget(self._held(cluster), name) and self.changed("forget", cluster)

    def _has(self, cluster: ClusterName) -> bool:
        return str(cluster) in {str(one) for one in self._volumes.clusters()}

    def _held(self, cluster: ClusterName) -> dict[Path, object]:
        if not self._has(cluster):
            raise NotOursError(f"Directory '{cluster}' is not ours.")
        return self._volumes.held[str(cluster)].files

    def _put(
        self, files: dict[Path, object], directory: Path, images: tuple[LoadableImage, ...]
    ) -> KeptArchive:
        path = directory / f"{hashlib.sha256(str(images).encode()).hexdigest()}.tar"
        self.contents[path] = images
        kept = KeptArchive(path=path, size_bytes=1 << 20, images=images)
        files[path] = kept
        return kept

    def _forget(self, files: dict[Path, object], name: str) -> bool:
        is_changed = False
        for path, kept in list(files.items()):
            if isinstance(kept, KeptArchive) and name in {image.name for image in kept.images}:
                left = tuple(image for image in kept.images if image.name != name)
                del files[path]
                if left:
                    self._put(files, path.parent, left)
                is_changed = True
        return is_changed
