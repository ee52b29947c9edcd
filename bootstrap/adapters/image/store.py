"""Built node images on this host: one directory each, named by its key."""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.files import private_directory, write_atomically
from bootstrap.model.cluster import NodeImage

_BUILDING = ".building-"
_REMOVING = ".removing-"
_FILES = ("disk.raw", "vmlinuz", "initrd.img")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStore:
    """The images below one directory. Only the holder of the lock may change anything."""

    directory: Path
    #: The system daemon runs domains as another user, who must get at root's images.
    is_shared: bool = False

    def find(self, key: str) -> NodeImage | None:
        """Give the image of this key, if it is there and whole; reads one small file."""
        directory = self.directory / key
        try:
            noted = json.loads((directory / "image.json").read_text())
            sizes = {name: (directory / name).stat().st_size for name in _FILES}
            if sizes != noted["sizes"]:
                return None
            version = str(noted["kubernetesVersion"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        disk, kernel, initrd = (directory / name for name in _FILES)
        return NodeImage(
            key=key,
            disk=disk,
            kernel=kernel,
            initrd=initrd,
            kubernetes_version=version,
            size_bytes=sizes["disk.raw"],
        )

    def is_sound(self, key: str) -> bool:
        """Tell whether the image still holds, byte for byte, what was built; reads all of it."""
        directory = self.directory / key
        try:
            noted = json.loads((directory / "image.json").read_text())["sha256"]
            return bool(noted == _digests(directory))
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def list(self) -> Sequence[NodeImage]:
        """Give every whole image, by key."""
        keys = sorted(path.name for path in self.directory.glob("[0-9a-f]*") if path.is_dir())
        return [image for key in keys if (image := self.find(key)) is not None]

    def prepare(self) -> None:
        """Make the directory, and remove what killed runs left in it."""
        for directory in (self.directory.parent, self.directory):
            private_directory(directory, mode=self._mode)
        for leftover in self.leftovers():
            shutil.rmtree(leftover)

    def leftovers(self) -> Sequence[Path]:
        """Give what killed runs left, and what the holder of the lock works on."""
        patterns = (f"{_BUILDING}*", f"{_REMOVING}*")
        return [found for pattern in patterns for found in self.directory.glob(pattern)]

    @property
    def _mode(self) -> int:
        return 0o755 if self.is_shared else 0o700

    @contextlib.contextmanager
    def building(self, key: str, *, kubernetes_version: str) -> Iterator[Path]:
        """Give a directory to build in, which becomes the image when the block ends well.

        The block writes disk.raw, vmlinuz and initrd.img.
        """
        work = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{key[:12]}-", dir=self.directory))
        try:
            yield work
            self._publish(work, key, kubernetes_version)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _publish(self, work: Path, key: str, kubernetes_version: str) -> None:
        for name in _FILES:
            (work / name).chmod(0o444)
        sizes = {name: (work / name).stat().st_size for name in _FILES}
        note = {
            "kubernetesVersion": kubernetes_version,
            "sizes": sizes,
            "sha256": _digests(work),
        }
        write_atomically(work / "image.json", json.dumps(note, indent=2) + "\n", mode=0o444)
        work.chmod(self._mode)
        self.remove(key)
        work.rename(self.directory / key)

    def remove(self, key: str) -> bool:
        """Remove an image in one step; a kill in between leaves what the next run sweeps."""
        doomed = self.directory / f"{_REMOVING}{key}"
        try:
            (self.directory / key).rename(doomed)
        except FileNotFoundError:
            return False
        shutil.rmtree(doomed)
        return True

    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        """Remove every image, damaged ones too, whose key is not in use; gives their keys."""
        found = (path.name for path in self.directory.glob("[0-9a-f]*") if path.is_dir())
        doomed = sorted(key for key in found if key not in in_use)
        for key in doomed:
            self.remove(key)
        return doomed


def _digests(directory: Path) -> dict[str, str]:
    digests = {}
    for name in _FILES:
        with (directory / name).open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
