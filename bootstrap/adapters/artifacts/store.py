"""One set of artefacts with its checksums, so that a damaged file is never used."""

import hashlib
import json
import shutil
import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bootstrap.adapters.clock import now_text
from bootstrap.adapters.files import (
    private_directory,
    replacing,
    sha256_of,
    sweep,
    write_atomically,
)
from bootstrap.errors import BootstrapError

#: The archive of the images that are made here.
IMAGE_ARCHIVE = "images.tar"
_MANIFEST = "manifest.json"
_WORK = ".work"
_REMOVED = ".work.old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file of a set, as it was when it was made."""

    name: str
    version: str
    size_bytes: int
    sha256: str
    path: Path
    #: When, in ISO 8601; empty in manifests of older versions.
    made: str = ""

    def has_its_size(self) -> bool:
        """Tell whether a file of this size is there."""
        if self.path.is_symlink() or not self.path.is_file():
            return False
        return self.path.stat().st_size == self.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactSet:
    """Everything that a node image of one Kubernetes version is made from."""

    directory: Path
    binaries: Mapping[str, Path]
    #: Programs by which of the binaries they are, if one binary is several programs.
    links: Mapping[str, str]
    image_archive: Path
    #: Images by the references from which containerd pulls them.
    pulls: Mapping[str, str]
    #: SHA-256 over every file, for the keys of node images.
    digest: str
    packages_fetched: str | None


@dataclass(frozen=True, slots=True)
class Store:
    """The directory of one set; its manifest has the checksum of each file.

    A file without an entry does not exist for readers: it may be half written. The caller
    holds the lock of the set while it changes anything; its threads may add files at once.
    """

    directory: Path
    _manifest: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def work(self) -> Path:
        """The directory for unfinished files, on the same file system."""
        return self.directory / _WORK

    @property
    def log(self) -> Path:
        """The file for the output of the programs that make the set."""
        return self.directory / "build.log"

    def open(self) -> None:
        """Create the directory and remove what a killed process left in it."""
        private_directory(self.directory)
        self.close()
        sweep(self.directory)
        self.work.mkdir()

    def close(self) -> None:
        """Remove unfinished files."""
        removed = self.directory / _REMOVED
        shutil.rmtree(removed, ignore_errors=True)
        if self.work.exists():
            # Renamed first: a compiler that outlives its killed parent cannot add files then.
            self.work.replace(removed)
            shutil.rmtree(removed)

    def remove(self) -> None:
        """Remove the set; after a kill half way through, no file of it is used."""
        (self.directory / _MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.directory)

    def artifacts(self) -> Mapping[str, Artifact]:
        """Return the entries of the manifest; none if it cannot be read."""
        try:
            entries = json.loads((self.directory / _MANIFEST).read_text())
            found = [Artifact(**entry, path=self.directory / entry["name"]) for entry in entries]
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return {}
        return {entry.name: entry for entry in found if entry.path.parent == self.directory}

    def is_sound(self, name: str) -> bool:
        """Return whether a file exists and holds, byte for byte, what was made."""
        known = self.artifacts().get(name)
        if known is None or known.path.is_symlink() or not known.path.is_file():
            return False
        return sha256_of(known.path) == known.sha256

    def seems_complete(self, files: Sequence[str]) -> bool:
        """Return whether these files are there by their sizes; reads none."""
        known = self.artifacts()
        return all(name in known and known[name].has_its_size() for name in files)

    def is_complete(self, files: Sequence[str]) -> bool:
        """Return whether these files are sound."""
        return all(map(self.is_sound, files))

    def digest(self, files: Sequence[str]) -> str:
        """Return the SHA-256 over these files, as they were when they were made."""
        known = self.artifacts()
        lines = "".join(f"{known[name].sha256} {name}\n" for name in sorted(files))
        return hashlib.sha256(lines.encode()).hexdigest()

    def add(self, name: str, version: str, make: Callable[[Path], object], *, mode: int) -> None:
        """Let ``make`` write a file, then publish it under its name with an entry.

        :raises BootstrapError: if the disk returns other bytes than were written.
        """
        made = self.work / name
        make(made)
        entry = Artifact(
            name=name,
            version=version,
            size_bytes=made.stat().st_size,
            sha256=sha256_of(made),
            path=self.directory / name,
            made=now_text(),
        )
        # First the file, then the entry: a kill in between costs a rebuild only.
        with replacing(entry.path, mode=mode) as temporary:
            made.replace(temporary)
        # The archive holds copies of the other files, so it is made again after each of them.
        outdated = (name, IMAGE_ARCHIVE)
        with self._manifest:
            kept = [one for one in self.artifacts().values() if one.name not in outdated]
            self._write([*kept, entry])
        if not self.is_sound(name):
            raise BootstrapError(
                f"File '{entry.path}' fails its sha256 right after it was made.",
                details="The disk or the memory of this host returns other bytes than it got.",
                hint="Look for disk errors: sudo dmesg --level=err",
            )

    def take(self, other: "Store") -> None:
        """Take all files of another set, which is whole, and of which none is left there.

        A kill on the way leaves a set without a file.
        """
        (self.directory / _MANIFEST).unlink(missing_ok=True)
        entries = list(other.artifacts().values())
        for entry in entries:
            made, path = self.work / entry.name, self.directory / entry.name
            shutil.move(entry.path, made)
            with replacing(path, mode=_mode_of(made)) as temporary:
                made.replace(temporary)
        with self._manifest:
            self._write(entries)

    def _write(self, entries: Sequence[Artifact]) -> None:
        plain = [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.name)]
        for entry in plain:
            del entry["path"]  # the directory may be moved
        write_atomically(self.directory / _MANIFEST, json.dumps(plain, indent=1) + "\n")


def _mode_of(path: Path) -> int:
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
