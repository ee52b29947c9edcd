"""Node images made on this host from Debian packages and our own Kubernetes build."""

import contextlib
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.image import recipe
from bootstrap.adapters.image.archive import image_names, pause_image
from bootstrap.adapters.image.bake import PHASE, BakeSpec
from bootstrap.adapters.image.base import (
    Base,
    base_leftovers,
    find_base,
    is_sound,
    make_base,
    prune_bases,
)
from bootstrap.adapters.image.store import ImageStore
from bootstrap.adapters.locks import locked
from bootstrap.errors import LockedError
from bootstrap.model.cluster import NodeImage
from bootstrap.ports import Progress

#: Programs of the build, by where they go.
CONTAINERD_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr")
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")

#: Another run may be building: that takes minutes, on a slow host many.
_LOCK_TIMEOUT_S = 3600


class BuiltArtifacts(Protocol):
    """The programs and container images of one Kubernetes version."""

    @property
    def binaries(self) -> Mapping[str, Path]:
        """The programs by name."""

    @property
    def image_archive(self) -> Path:
        """An OCI archive of all container images."""

    @property
    def digest(self) -> str:
        """What all of it hashes to."""


class Artifacts(Protocol):
    """Gives the artefacts of a version, building what is missing."""

    def ensure(self, version: str) -> BuiltArtifacts:
        """Give the artefacts."""


class DebianImages:
    """Implements :class:`bootstrap.ports.Images`; see there for the promises."""

    def __init__(
        self,
        directories: Directories,
        progress: Progress,
        artifacts: Artifacts,
        *,
        is_checked: bool = False,
    ) -> None:
        self._directories = directories
        self._progress = progress
        self._artifacts = artifacts
        self._store = ImageStore(directory=directories.images, is_shared=os.getuid() == 0)
        self._is_checked = is_checked

    @explained("build the node image")
    def ensure(self, kubernetes_version: str) -> NodeImage:
        """See the port. An image that is there is given at once, and no program is asked."""
        built = self._artifacts.ensure(kubernetes_version)
        return self._find(built) or self._build(built, kubernetes_version)

    def find(self, key: str) -> NodeImage | None:
        """See the port."""
        return self._store.find(key)

    def list(self) -> Sequence[NodeImage]:
        """Give every image that is there."""
        return self._store.list()

    @explained("remove node images")
    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        """Remove every image whose key is not in use, and base systems that none is made from.

        Gives the keys of the images and the names of the base systems that are gone.
        """
        with self._locked():
            self._store.prepare()
            return [*self._store.prune(in_use), *prune_bases(self._bases)]

    @explained("remove what killed builds left")
    def sweep(self) -> None:
        """See the port."""
        if not self._leftovers():
            return
        # Who builds at this moment has removed the others' before.
        with contextlib.suppress(LockedError), self._locked(timeout_s=0):
            for leftover in self._leftovers():
                shutil.rmtree(leftover)

    def _leftovers(self) -> Sequence[Path]:
        return [*self._store.leftovers(), *base_leftovers(self._bases)]

    def _find(self, built: BuiltArtifacts) -> NodeImage | None:
        base = find_base(self._bases)
        return self._sound(recipe.image_key(base.digest, built.digest)) if base else None

    def _sound(self, key: str) -> NodeImage | None:
        image = self._store.find(key)
        if image is None or self._store.is_sound(key):
            return image
        self._progress.note("The cached node image fails its SHA-256, so it is built again")
        return None

    def _build(self, built: BuiltArtifacts, version: str) -> NodeImage:
        with self._locked():
            self._store.prepare()
            base = self._sound_base() or self._make_base()
            key = recipe.image_key(base.digest, built.digest)
            # Whoever held the lock before us may have built it.
            return self._sound(key) or self._bake(base, built, key, version)

    def _sound_base(self) -> Base | None:
        base = find_base(self._bases)
        if base is None or is_sound(base):
            return base
        self._progress.note("The cached base system fails its SHA-256, so it is fetched again")
        return None

    def _make_base(self) -> Base:
        self._progress.step("Fetching the node image's base system from this host's Debian mirror")
        return make_base(self._bases, log=self._log(), line=lambda _: None)

    def _bake(self, base: Base, built: BuiltArtifacts, key: str, version: str) -> NodeImage:
        namespace.check(uid=os.getuid())
        with self._store.building(key, kubernetes_version=version) as work:
            spec = self._spec(base, built, key, work)
            scratch, file = Path(spec.scratch), work / "spec.json"
            scratch.mkdir()
            spec.write(file)
            namespace.run_worker(
                "bootstrap.adapters.image.bake",
                file,
                action="build the node image",
                log=self._log(),
                line=self._tell,
            )
            scratch.rmdir()
            file.unlink()
        image = self._store.find(key)
        assert image is not None  # noqa: S101 - it was published, and we hold the lock
        return image

    def _spec(self, base: Base, built: BuiltArtifacts, key: str, work: Path) -> BakeSpec:
        return BakeSpec(
            base_tar=str(base.tar),
            scratch=str(work / "scratch"),
            disk=str(work / "disk.raw"),
            kernel=str(work / "vmlinuz"),
            initrd=str(work / "initrd.img"),
            key=key,
            variables=role_variables(built),
            is_run_twice=self._is_checked,
        )

    def _tell(self, line: str) -> None:
        if line.startswith(PHASE):
            self._progress.step(f"Building the node image: {line.removeprefix(PHASE)}")

    def _log(self) -> Path:
        return private_directory(self._directories.cache / "logs") / "node-image.log"

    def _locked(self, timeout_s: float = _LOCK_TIMEOUT_S) -> AbstractContextManager[None]:
        lock = self._directories.images_lock
        return locked(lock, what="the node images", timeout_s=timeout_s)

    @property
    def _bases(self) -> Path:
        return self._directories.cache / "bases"


def role_variables(built: BuiltArtifacts) -> dict[str, object]:
    """Give the roles of ``node-image.yml`` what they ask for."""
    names = image_names(built.image_archive)
    return {
        "containerd_programs": [str(built.binaries[name]) for name in CONTAINERD_PROGRAMS],
        "containerd_pause_image": pause_image(names),
        "kubernetes_binaries_kube": str(built.binaries["kube"]),
        "kubernetes_binaries_cni_plugins": [str(built.binaries[name]) for name in CNI_PLUGINS],
        "container_images_archive": str(built.image_archive),
        "container_images_names": list(names),
    }
