"""Keep built files with their checksums, so that a damaged one is never used."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.adapters.files import private_directory, replacing, sweep, write_atomically

_MANIFEST = "manifest.json"
_WORK = ".work"
_DOOMED = ".work.old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that was built, as it was when it was built."""

    name: str
    version: str
    size_bytes: int
    sha256: str
    path: Path


@dataclass(frozen=True, slots=True)
class Store:
    """One directory of built files; its manifest says what each must hold.

    A file that the manifest does not name is not there: it may be half written. The caller
    holds the directory's lock while it changes anything.
    """

    directory: Path

    @property
    def work(self) -> Path:
        """A place for unfinished files, on the same file system."""
        return self.directory / _WORK

    def open(self) -> None:
        """Make the directory ready, without what a killed run left in it."""
        private_directory(self.directory)
        self.close()
        sweep(self.directory)
        self.work.mkdir()

    def close(self) -> None:
        """Remove unfinished files."""
        doomed = self.directory / _DOOMED
        shutil.rmtree(doomed, ignore_errors=True)
        if self.work.exists():
            # Renamed first: a compiler that outlives its killed parent then adds nothing.
            self.work.replace(doomed)
            shutil.rmtree(doomed)

    def artifacts(self) -> Mapping[str, Artifact]:
        """Give what the manifest names; a manifest that cannot be read names nothing."""
        try:
            entries = json.loads((self.directory / _MANIFEST).read_text())
            parsed = [self._parse(**entry) for entry in entries]
            return {entry.name: entry for entry in parsed}
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return {}

    def is_sound(self, name: str) -> bool:
        """Tell whether a file is there and holds, byte for byte, what was built."""
        known = self.artifacts().get(name)
        if known is None or known.path.is_symlink() or not known.path.is_file():
            return False
        return known.path.stat().st_size == known.size_bytes and sha256_of(known.path) == (
            known.sha256
        )

    def has_entry(self, name: str) -> bool:
        """Tell whether the file was built once, sound or not."""
        return name in self.artifacts()

    def add(self, name: str, version: str, make: Callable[[Path], None], *, mode: int) -> None:
        """Have ``make`` write a file, then give it its name and its place in the manifest."""
        made = self.work / name
        make(made)
        entry = Artifact(
            name=name,
            version=version,
            size_bytes=made.stat().st_size,
            sha256=sha256_of(made),
            path=self.directory / name,
        )
        # First the file, then the entry: a kill between them costs a rebuild, not a lie.
        with replacing(entry.path, mode=mode) as temporary:
            made.replace(temporary)
        self._write([*self._others(name), entry])

    def forget(self, name: str) -> None:
        """Make the manifest not name a file, so that it is built again."""
        if self.has_entry(name):
            self._write(self._others(name))

    def disown(self) -> None:
        """Remove the manifest, so that no file of the directory is there any more."""
        (self.directory / _MANIFEST).unlink(missing_ok=True)

    def _parse(self, *, name: str, version: str, size_bytes: int, sha256: str) -> Artifact:
        if Path(name).name != name:
            raise ValueError(name)
        return Artifact(
            name=name,
            version=version,
            size_bytes=size_bytes,
            sha256=sha256,
            path=self.directory / name,
        )

    def _others(self, name: str) -> list[Artifact]:
        return [entry for entry in self.artifacts().values() if entry.name != name]

    def _write(self, entries: Sequence[Artifact]) -> None:
        plain = [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.name)]
        for entry in plain:
            del entry["path"]  # the directory may be moved
        write_atomically(self.directory / _MANIFEST, json.dumps(plain, indent=1) + "\n")


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
