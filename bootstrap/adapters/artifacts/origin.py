"""What every source of artefacts does: find a set in the cache, or make what is missing of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from bootstrap.adapters.artifacts.go.toolchain import Toolchain, required_go
from bootstrap.adapters.artifacts.go.wheel import ensure_toolchain
from bootstrap.adapters.artifacts.sets import ArtifactSets
from bootstrap.adapters.artifacts.store import Artifact, ArtifactSet, Store
from bootstrap.adapters.directories import Directories
from bootstrap.errors import StateError
from bootstrap.ports import Events
from bootstrap.resources import resource_directory

#: The programs of Kubernetes that a node has outside of containers.
KUBERNETES_PROGRAMS = ("kubeadm", "kubectl", "kubelet")


class ArtifactOrigin(ABC):
    """A source of artefacts. A set may be made by several processes at once, and after any kill."""

    #: The file of a set that is kubectl when it is started by that name.
    kubectl: ClassVar[str]
    #: The same of kubelet.
    kubelet: ClassVar[str]

    def __init__(self, directories: Directories, events: Events) -> None:
        self._directories = directories
        self._events = events
        self._sets = ArtifactSets(directories, events.note)

    @abstractmethod
    def key(self, kubernetes_version: str) -> str:
        """Return the key of a version's set: a hash of what decides it.

        :raises UsageError: if this source does not have the version.
        """

    def find(self, kubernetes_version: str) -> ArtifactSet | None:
        """Return the set if all of it is there by its sizes; none is read."""
        store = self._sets.store(self.key(kubernetes_version))
        if not store.seems_complete(self._files(kubernetes_version)):
            return None
        return self._describe(kubernetes_version, store)

    def ensure(self, kubernetes_version: str, *, refresh: bool = False) -> ArtifactSet:
        """Return the set; make what is missing of it or damaged.

        A complete set costs no network and no program. ``refresh`` fetches the Debian packages
        in it anew, if there are any.

        :raises HostError: if the host lacks what making needs.
        """
        store = self._sets.store(self.key(kubernetes_version))
        if refresh or not store.is_complete(self._files(kubernetes_version)):
            self._make(kubernetes_version, store, refresh=refresh)
        return self._describe(kubernetes_version, store)

    def adopt(self, kubernetes_version: str, directory: Path) -> None:
        """Take the set of a version that another host has made.

        :raises StateError: if it is not whole.
        """
        if not Store(directory).is_complete(self._files(kubernetes_version)):
            raise StateError(
                f"The artefacts of Kubernetes {kubernetes_version} are not what was made.",
                details=f"A file of '{directory}' is missing or damaged.",
                hint="bootstrap artifacts list",
            )
        self._sets.adopt(directory)

    def find_kubelet(self, kubernetes_version: str) -> Artifact | None:
        """Return the file that is kubelet, judged by its size, from a whole set or not."""
        store = self._sets.store(self.key(kubernetes_version))
        found = store.artifacts().get(self.kubelet)
        return found if found and found.has_its_size() else None

    def ensure_kubelet(self, kubernetes_version: str) -> Artifact:
        """Return the file that is kubelet; make it, and nothing else, if it is missing or damaged.

        What is made is a part of the version's set, which ``ensure`` completes.

        :raises HostError: if the host lacks what making needs.
        """
        store = self._sets.store(self.key(kubernetes_version))
        if not store.is_sound(self.kubelet):
            self._make_kubelet(kubernetes_version, store)
        return store.artifacts()[self.kubelet]

    @abstractmethod
    def _make_kubelet(self, kubernetes_version: str, store: Store) -> None:
        """Make the file that is kubelet, under the lock of the set."""

    @abstractmethod
    def _files(self, kubernetes_version: str) -> Sequence[str]:
        """Name the files of a complete set."""

    @abstractmethod
    def _describe(self, kubernetes_version: str, store: Store) -> ArtifactSet:
        """Describe a complete set."""

    @abstractmethod
    def _make(self, kubernetes_version: str, store: Store, *, refresh: bool) -> None:
        """Make what is missing, under the lock of the set."""

    @property
    def _modules(self) -> Path:
        """The Go modules, of which every source builds at least one."""
        return resource_directory("artifacts")

    def _toolchain(self) -> Toolchain:
        """Return a Go that builds the modules; install one if there is none.

        :raises HostError: if it cannot be installed.
        """
        required = required_go(self._modules)
        return ensure_toolchain(self._directories.cache, required, self._events.note)

    def _ensure(
        self,
        store: Store,
        name: str,
        version: str,
        make: Callable[[Path], None],
        *,
        mode: int = 0o644,
    ) -> None:
        if not self._is_sound(store, name):
            store.add(name, version, make, mode=mode)

    def _is_sound(self, store: Store, name: str) -> bool:
        is_sound = store.is_sound(name)
        if not is_sound and name in store.artifacts():
            self._events.note(f"Cached file '{name}' fails its sha256; making it again.")
        return is_sound
