"""The artefact source ``go``: build every program of a node from Go modules, once."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bootstrap.adapters.artifacts import images
from bootstrap.adapters.artifacts.go.builder import Builder, inputs_digest
from bootstrap.adapters.artifacts.go.components import KUBE, Component, components_of
from bootstrap.adapters.artifacts.go.toolchain import Toolchain, required_go
from bootstrap.adapters.artifacts.go.wheel import ensure_toolchain
from bootstrap.adapters.artifacts.nft import SUITE, write_nft_layer
from bootstrap.adapters.artifacts.sets import ArtifactSets
from bootstrap.adapters.artifacts.store import (
    BASE_LAYER,
    IMAGE_ARCHIVE,
    Artifact,
    ArtifactSet,
    Store,
)
from bootstrap.adapters.directories import Directories
from bootstrap.model.versions import SUPPORTED_VERSIONS
from bootstrap.ports import Events
from bootstrap.resources import resource_directory


class GoArtifacts:
    """Builds the artefacts of a Kubernetes version once for all processes of this user.

    The key of a set is a hash of the sources and of the commands. The Go release is no part
    of it: every release that the ``go.mod`` files allow may build a set, and continue one.
    """

    def __init__(self, directories: Directories, events: Events) -> None:
        self._cache = directories.cache
        self._sets = ArtifactSets(directories, events.note)
        self._events = events
        self._modules = resource_directory("artifacts")

    def key(self, kubernetes_version: str) -> str:
        """See the port."""
        components = components_of(kubernetes_version)
        inputs = inputs_digest(kubernetes_version, components, self._modules)
        text = f"{inputs} {SUITE} {images.LAYOUT}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def directory(self) -> Path:
        """See the port."""
        return self._sets.root

    def find(self, kubernetes_version: str) -> ArtifactSet | None:
        """See the port."""
        names = [component.name for component in components_of(kubernetes_version)]
        store = self._sets.store(self.key(kubernetes_version))
        return store.result(names) if store.seems_complete(names) else None

    def ensure(self, kubernetes_version: str, *, refresh: bool = False) -> ArtifactSet:
        """Return every file of a Kubernetes version; build those that are missing or damaged.

        A complete set costs no network, no build and no Go; ``refresh`` makes the layer of
        Debian packages and the archive of images anew. May be killed and called again
        at any time, and by several processes at once.

        :raises UsageError: if the Go modules require another version.
        :raises HostError: if the host lacks Go, modules, packages or space.
        """
        components = components_of(kubernetes_version)
        store = self._sets.store(self.key(kubernetes_version))
        names = [component.name for component in components]
        if refresh or not store.is_complete(names):
            go = ensure_toolchain(self._cache, required_go(self._modules), self._events.note)
            with self._sets.changing(store):
                if refresh:
                    self._make_base(store)
                self._complete(kubernetes_version, components, store, go)
        return store.result(names)

    def kubectl(self, kubernetes_version: str) -> Path | None:
        """See the port."""
        built = (item for item in self._sets.list() if item.name == KUBE)
        return next((item.path for item in built if item.version == kubernetes_version), None)

    def list(self) -> Sequence[Artifact]:
        """List every file in the cache as its manifest describes it; changes nothing."""
        return self._sets.list()

    def prune(self) -> Sequence[str]:
        """Remove the sets that no supported version is built from; return their keys.

        :raises LockedError: if another process builds a node image, which reads from sets.
        """
        return self._sets.prune([self.key(version) for version in SUPPORTED_VERSIONS])

    def _complete(
        self, version: str, components: Sequence[Component], store: Store, go: Toolchain
    ) -> None:
        missing = [part for part in components if not self._is_sound(store, part.name)]
        builder = Builder(go=go, modules=self._modules, log=store.log, events=self._events)
        builder.fetch(missing)
        for part in missing:
            store.add(part.name, part.version, partial(builder.build, part), mode=0o755)
        if not self._is_sound(store, BASE_LAYER):
            self._make_base(store)
        binaries = {part.name: store.directory / part.name for part in components}
        archive = partial(self._write_archive, version, binaries, store, go.architecture)
        if not self._is_sound(store, IMAGE_ARCHIVE):
            store.add(IMAGE_ARCHIVE, version, archive, mode=0o644)

    def _make_base(self, store: Store) -> None:
        self._events.note("Fetching nft for kube-proxy's image from the Debian mirror.")
        store.add(BASE_LAYER, SUITE, partial(write_nft_layer, log=store.log), mode=0o644)

    def _write_archive(
        self,
        version: str,
        binaries: Mapping[str, Path],
        store: Store,
        architecture: str,
        output: Path,
    ) -> None:
        self._events.note("Writing the container images.")
        names = images.wanted_images(binaries[KUBE], version, store.work)
        base = store.directory / BASE_LAYER
        images.write_images(output, names, binaries, base, architecture=architecture)

    def _is_sound(self, store: Store, name: str) -> bool:
        is_sound = store.is_sound(name)
        if not is_sound and name in store.artifacts():
            self._events.note(f"Cached file '{name}' fails its sha256; making it again.")
        return is_sound
