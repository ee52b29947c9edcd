"""The sets of artefacts in the cache, one directory for each key."""

import contextlib
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.artifacts.store import Artifact, Store
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.locks import locked
from bootstrap.errors import HostError, LockedError

#: Longer than a build from nothing on two slow cores.
_LOCK_TIMEOUT_S = 3 * 3600
#: A key: nothing else in the directory is a set.
_KEY = re.compile(r"[0-9a-f]{32}")
_WHAT = "the artefacts"


@dataclass(frozen=True, slots=True)
class ArtifactSets:
    """All sets of this user; ``progress`` gets a line when another process is waited for."""

    directories: Directories
    progress: Callable[[str], None]

    def store(self, key: str) -> Store:
        """Return the store of a key, which need not exist."""
        return Store(self.root / key)

    def list(self) -> Sequence[Artifact]:
        """List every file of every set as its manifest describes it; changes nothing."""
        manifests = sorted(self.root.glob("*/manifest.json"))
        return [
            artifact
            for manifest in manifests
            for artifact in Store(manifest.parent).artifacts().values()
            if artifact.path.exists()
        ]

    @contextlib.contextmanager
    def changing(self, store: Store) -> Iterator[None]:
        """Hold the lock of a set while the block changes it; waits for other processes.

        :raises HostError: if the host refuses a write.
        """
        lock = self._lock_of(store.directory)
        with _writable(store.directory), contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(lock, what=_WHAT))
            except LockedError as busy:
                self.progress(f"Waiting for a run that builds the same: {busy.details}.")
                stack.enter_context(locked(lock, what=_WHAT, timeout_s=_LOCK_TIMEOUT_S))
            store.open()
            stack.callback(store.close)
            yield

    def adopt(self, directory: Path) -> None:
        """Take a whole set, whose directory is named as its key, in place of one of that key."""
        store = self.store(directory.name)
        with self.changing(store):
            store.take(Store(directory))

    def prune(self, wanted: Collection[str]) -> Sequence[str]:
        """Remove the sets with other keys than ``wanted``, and return the keys removed.

        A set that another process builds is kept. Clusters need no set: their programs are
        in their node image.

        :raises LockedError: if another process builds a node image, which reads from sets.
        """
        if not self._unwanted(wanted):
            return []
        with locked(self.directories.images_lock, what="the node images"):
            return [path.name for path in self._unwanted(wanted) if self._remove(path)]

    def _unwanted(self, wanted: Collection[str]) -> Sequence[Path]:
        return sorted(
            path
            for path in self.root.glob("*")
            if _KEY.fullmatch(path.name)
            and path.name not in wanted
            and path.is_dir()
            and not path.is_symlink()
        )

    def _remove(self, directory: Path) -> bool:
        try:
            with locked(self._lock_of(directory), what=_WHAT):
                Store(directory).remove()
        except LockedError as busy:
            self.progress(f"Kept '{directory.name}': {busy.details}.")
            return False
        return True

    def _lock_of(self, directory: Path) -> Path:
        # Outside of the set, which may be removed.
        return self.root / ".locks" / f"{directory.name}.lock"

    @property
    def root(self) -> Path:
        """The directory of all sets."""
        return self.directories.cache / "artifacts"


@contextlib.contextmanager
def _writable(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"Could not write to the artefact cache '{directory}'.",
            details=str(error),
            hint=f"df -h {shlex.quote(str(directory.parent))}",
        ) from error
