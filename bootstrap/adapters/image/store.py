"""Built files on this host: one directory for each key, whole or absent."""

import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.files import private_directory, sha256_of, write_atomically
from bootstrap.model.images import is_image_key

_BUILDING = ".building-"
_REMOVING = ".removing-"
NOTE = "note.json"
#: Of an entry of each kind, on storage and in archives; the note is written last.
IMAGE_FILES = (NOTE, "disk.raw", "vmlinuz", "initrd.img")
BASE_FILES = (NOTE, "base.tar")
_CONDEMNED = "condemned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The files of one key, and what was noted when they were built."""

    directory: Path
    #: Of each file, by its name.
    sizes: Mapping[str, int]
    sha256: Mapping[str, str]
    #: Of what they were made from.
    version: str
    #: When their Debian packages were fetched, in ISO 8601; empty in notes of older versions.
    fetched: str = ""
    #: The version of the kubelet in them, if it is another one; of bases it says nothing.
    kubelet: str = ""

    def is_sound(self, names: Collection[str] | None = None) -> bool:
        """Compare files, all by default, byte for byte with what was built; reads them whole."""
        wanted = self.sizes if names is None else names
        try:
            found = _digests(self.directory, wanted)
        except OSError:
            return False
        return all(self.sha256.get(name) == digest for name, digest in found.items())

    @property
    def is_condemned(self) -> bool:
        """Tell whether it once was not what was built."""
        return (self.directory / _CONDEMNED).exists()

    def condemn(self) -> None:
        """Remember that it is not what was built. Disks may lie over it, so it stays."""
        (self.directory / _CONDEMNED).touch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The entries below one directory. Only the holder of its lock may change anything."""

    directory: Path
    files: Sequence[str]
    #: The system daemon runs domains as another user, who must reach root's images.
    is_shared: bool = False

    def find(self, key: str) -> Entry | None:
        """Return the entry of this key if it is there with all its bytes; reads one small file."""
        directory = self.directory / key
        try:
            entry = Entry(directory=directory, **json.loads((directory / NOTE).read_text()))
            sizes = {name: (directory / name).stat().st_size for name in self.files}
            is_whole = entry.sizes == sizes and entry.sha256.keys() == sizes.keys()
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return entry if is_whole else None

    def list(self) -> Sequence[Entry]:
        """List all whole entries, by key."""
        return [entry for key in self._keys() if (entry := self.find(key)) is not None]

    def prepare(self) -> None:
        """Make the directory, and remove what killed runs left in it."""
        for directory in (self.directory.parent, self.directory):
            private_directory(directory, mode=self._mode)
        for leftover in self.leftovers():
            shutil.rmtree(leftover)

    def leftovers(self) -> Sequence[Path]:
        """List what killed runs left, and what the holder of the lock works on."""
        patterns = (f"{_BUILDING}*", f"{_REMOVING}*")
        return [found for pattern in patterns for found in self.directory.glob(pattern)]

    @property
    def _mode(self) -> int:
        return 0o755 if self.is_shared else 0o700

    def add(
        self,
        key: str,
        *,
        version: str,
        fetched: str,
        make: Callable[[Path], None],
        kubelet: str = "",
    ) -> Entry:
        """Have ``make`` write the files into an empty directory, then publish it as the entry."""
        work = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{key[:12]}-", dir=self.directory))
        try:
            make(work)
            for name in self.files:
                (work / name).chmod(0o444)
            sizes = {name: (work / name).stat().st_size for name in self.files}
            digests = _digests(work, sizes)
            note = {
                "sizes": sizes,
                "sha256": digests,
                "version": version,
                "fetched": fetched,
                "kubelet": kubelet,
            }
            write_atomically(work / NOTE, json.dumps(note, indent=2) + "\n", mode=0o444)
            work.chmod(self._mode)
            self.remove(key)
            work.rename(self.directory / key)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return Entry(
            directory=self.directory / key,
            sizes=sizes,
            sha256=digests,
            version=version,
            fetched=fetched,
            kubelet=kubelet,
        )

    def remove(self, key: str) -> bool:
        """Remove an entry in one step; the next run removes what a kill leaves of it."""
        doomed = self.directory / f"{_REMOVING}{key}"
        try:
            (self.directory / key).rename(doomed)
        except FileNotFoundError:
            return False
        shutil.rmtree(doomed)
        return True

    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        """Remove all entries, damaged ones too, whose keys are not in use; return these keys."""
        doomed = [key for key in self._keys() if key not in in_use]
        for key in doomed:
            self.remove(key)
        return doomed

    def _keys(self) -> Sequence[str]:
        found = (path.name for path in self.directory.glob("*") if path.is_dir())
        return sorted(name for name in found if is_image_key(name))


def _digests(directory: Path, names: Collection[str]) -> dict[str, str]:
    return {name: sha256_of(directory / name) for name in names}
