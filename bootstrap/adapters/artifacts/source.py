"""The artefact source ``go``: build everything that a node needs, once, into the cache."""

import contextlib
import hashlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.artifacts import builder, images
from bootstrap.adapters.artifacts.go_wheel import ensure_toolchain
from bootstrap.adapters.artifacts.lock import Component, Lock, all_locks, lock_of
from bootstrap.adapters.artifacts.nft import SUITE, write_nft_layer
from bootstrap.adapters.artifacts.pruning import lock_of_set, remove_sets, unwanted_sets
from bootstrap.adapters.artifacts.store import Artifact, Store
from bootstrap.adapters.artifacts.toolchain import (
    Toolchain,
    Version,
    find_toolchain,
    required_version,
)
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.locks import locked
from bootstrap.errors import BootstrapError, HostError, LockedError
from bootstrap.resources import resource_directory

#: Longer than a build from nothing on two slow cores.
_LOCK_TIMEOUT_S = 3 * 3600
_BASE = "kube-proxy-base.tar"
_ARCHIVE = "images.tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltArtifacts:
    """All that a node image of one Kubernetes version is made from."""

    directory: Path
    binaries: Mapping[str, Path]
    image_archive: Path
    #: SHA-256 over every file, for keys of what is made from them.
    digest: str


class GoArtifacts:
    """Builds from Go modules, each set of sources and Go release once for all processes."""

    def __init__(self, directories: Directories, progress: Callable[[str], None]) -> None:
        self._directories = directories
        self._cache = directories.cache
        self._progress = progress
        self._modules = resource_directory("artifacts")

    def ensure(self, kubernetes_version: str) -> BuiltArtifacts:
        """Give every file of a Kubernetes version, building those that are missing or damaged.

        What is there and sound costs no network and no build. May be killed and called
        again at any time, and by several processes at once.

        :raises UsageError: if this version is not in the lock.
        :raises HostError: if the host lacks Go, modules, packages or space.
        """
        lock = lock_of(kubernetes_version)
        required = self._required(lock)
        go = find_toolchain(self._cache, required)
        if go is None:
            kept = self._kept(lock)
            if kept is not None:
                return kept
            go = ensure_toolchain(self._cache, required, self._progress)
        store = Store(self._root / f"{self._inputs(lock)}-{go.name}")
        with _space(store), self._held(store):
            self._complete(store, lock, go)
            return _built(store, lock)

    def list(self) -> Sequence[Artifact]:
        """Give every file in the cache as its manifest describes it; changes nothing."""
        manifests = sorted(self._root.glob("*/manifest.json"))
        return [
            artifact
            for manifest in manifests
            for artifact in Store(manifest.parent).artifacts().values()
            if artifact.path.exists()
        ]

    def prune(self) -> Sequence[str]:
        """Remove every set that no version of the lock is built from now, and name them.

        A set that another run builds is kept. Clusters do not need any: what they run is
        in their node image.

        :raises LockedError: if another run builds a node image, which is made from sets.
        """
        if not self._unwanted():
            return []
        with locked(self._directories.images_lock, what="the node images"):
            return remove_sets(self._unwanted(), self._progress)

    def _unwanted(self) -> Sequence[Path]:
        wanted = {name for lock in all_locks() for name in self._wanted(lock)}
        return unwanted_sets(self._root, wanted)

    def _wanted(self, lock: Lock) -> Sequence[str]:
        """Name the set of the Go that is there, or else those of any: they still serve."""
        go = find_toolchain(self._cache, self._required(lock))
        every = [path.name for path in self._root.glob(f"{self._inputs(lock)}-*")]
        current = f"{self._inputs(lock)}-{go.name}" if go else ""
        is_whole = all(map(Store(self._root / current).has_entry, _names(lock)))
        return [current] if current and is_whole else every

    def _required(self, lock: Lock) -> Version:
        return required_version(self._modules / part.module for part in lock.components)

    @property
    def _root(self) -> Path:
        return self._cache / "artifacts"

    def _inputs(self, lock: Lock) -> str:
        text = f"{builder.inputs_digest(lock, self._modules)} {SUITE} {images.LAYOUT}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _kept(self, lock: Lock) -> BuiltArtifacts | None:
        """Give a whole set that some Go built from the same sources, since there is none now."""
        sets = map(Store, sorted(self._root.glob(f"{self._inputs(lock)}-*")))
        whole = (store for store in sets if all(map(store.is_sound, _names(lock))))
        return next((_built(store, lock) for store in whole), None)

    @contextlib.contextmanager
    def _held(self, store: Store) -> Iterator[None]:
        path = lock_of_set(store.directory)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(path, what="the artefacts"))
            except LockedError as busy:
                self._progress(f"Waiting for a run that builds the same: {busy.details}.")
                stack.enter_context(locked(path, what="the artefacts", timeout_s=_LOCK_TIMEOUT_S))
            store.open()
            stack.callback(store.close)
            yield

    def _complete(self, store: Store, lock: Lock, go: Toolchain) -> None:
        for part in lock.components:
            make = self._builder(part, store, go)
            self._ensure_file(store, part.name, part.version, make, mode=0o755)

        def base(path: Path) -> None:
            self._progress("Fetching nft for kube-proxy's image from the Debian mirror.")
            write_nft_layer(path, log=_log(store))

        self._ensure_file(store, _BASE, SUITE, base, mode=0o644)

        def archive(path: Path) -> None:
            self._write_archive(path, store, lock, go)

        self._ensure_file(store, _ARCHIVE, lock.kubernetes_version, archive, mode=0o644)

    def _builder(self, part: Component, store: Store, go: Toolchain) -> Callable[[Path], None]:
        def make(output: Path) -> None:
            builder.build(
                part,
                go=go,
                modules=self._modules,
                output=output,
                log=_log(store),
                progress=self._progress,
            )

        return make

    def _write_archive(self, path: Path, store: Store, lock: Lock, go: Toolchain) -> None:
        self._progress("Writing the container images.")
        binaries = {part.name: store.directory / part.name for part in lock.components}
        names = images.wanted_images(binaries["kube"], lock.kubernetes_version, store.work)
        base = store.directory / _BASE
        images.write_images(path, names, binaries, base, architecture=go.architecture)

    def _ensure_file(
        self, store: Store, name: str, version: str, make: Callable[[Path], None], *, mode: int
    ) -> None:
        if store.is_sound(name):
            return
        if store.has_entry(name):
            self._progress(f"Cached file '{name}' fails its sha256; making it again.")
        # The archive holds copies of the others, which may now become different ones.
        store.forget(_ARCHIVE)
        store.add(name, version, make, mode=mode)
        if not store.is_sound(name):
            raise BootstrapError(
                f"File '{store.directory / name}' fails its sha256 right after it was made.",
                details="The disk or the memory of this host returns other bytes than it got.",
                hint="Look for disk errors: sudo dmesg --level=err",
            )


@contextlib.contextmanager
def _space(store: Store) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"Could not write to the artefact cache '{store.directory}'.",
            details=str(error),
            hint=f"df -h {shlex.quote(str(store.directory.parent))}",
        ) from error


def _log(store: Store) -> Path:
    return store.directory / "build.log"


def _names(lock: Lock) -> Sequence[str]:
    return [*(part.name for part in lock.components), _BASE, _ARCHIVE]


def _built(store: Store, lock: Lock) -> BuiltArtifacts:
    known = store.artifacts()
    lines = "".join(f"{known[name].sha256} {name}\n" for name in sorted(_names(lock)))
    return BuiltArtifacts(
        directory=store.directory,
        binaries={part.name: store.directory / part.name for part in lock.components},
        image_archive=store.directory / _ARCHIVE,
        digest=hashlib.sha256(lines.encode()).hexdigest(),
    )
