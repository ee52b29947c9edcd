"""Node images made on this host from Debian packages and our own Kubernetes build."""

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bootstrap.adapters.clock import now_text
from bootstrap.adapters.debian import namespace
from bootstrap.adapters.debian.packages import fetch_packages
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.image import network, recipe
from bootstrap.adapters.image.bake import DISK, INITRD, KERNEL, BakeSpec
from bootstrap.adapters.image.baking import BakeOutput
from bootstrap.adapters.image.parts import (
    Parts,
    Versions,
    ensure_parts,
    find_parts,
    role_variables,
    source_key,
)
from bootstrap.adapters.image.store import Entry, Store
from bootstrap.adapters.locks import locked
from bootstrap.errors import LockedError, StateError
from bootstrap.model.bundle import Materials
from bootstrap.model.cluster import ImageSource, NodeImage
from bootstrap.model.sources import Source
from bootstrap.ports import Artifacts, Events
from bootstrap.threads import together

_BASE = "base.tar"
#: Another run may be building: that takes minutes, on a slow host many.
_LOCK_TIMEOUT_S = 3600


class DebianImages:
    """Implements :class:`bootstrap.ports.Images`; see there for the promises."""

    def __init__(
        self,
        directories: Directories,
        events: Events,
        artifacts: Artifacts,
        *,
        now: Callable[[], str] = now_text,
    ) -> None:
        self._directories = directories
        self._events = events
        self._artifacts = artifacts
        self._now = now
        self._bases = Store(directory=directories.cache / "bases", files=(_BASE,))
        self._images = image_store(directories)

    @explained("build the node image")
    def ensure(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
        refresh: bool = False,
    ) -> NodeImage:
        """See the port. Returns an image that is there without running any program."""
        wanted = Versions(kubernetes_version, kubelet_version)
        artifacts = partial(ensure_parts, wanted, self._artifacts, source, refresh=refresh)
        base = None if refresh else self._bases.find(recipe.base_key())
        if base is not None:
            parts = artifacts()
            if found := self._sound_image(_key(base, parts)):
                return node_image(found)
        else:
            # A wrong version is refused before anything is fetched.
            source_key(wanted, self._artifacts, source)
            parts = together(artifacts, partial(self._ensure_base, refresh=refresh))
        return node_image(self._build(parts))

    @explained("look up the node image")
    def expected(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> NodeImage | None:
        """See the port. The kernel and the initrd are read, since a probe boots the kernel."""
        wanted = Versions(kubernetes_version, kubelet_version)
        parts = find_parts(wanted, self._artifacts, source)
        base = self._bases.find(recipe.base_key())
        entry = self._images.find(_key(base, parts)) if base and parts else None
        if entry is None or entry.is_condemned or not entry.is_sound((KERNEL, INITRD)):
            return None
        return node_image(entry)

    def source(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,
        *,
        kubelet_version: str | None = None,
    ) -> ImageSource:
        """See the port."""
        wanted = Versions(kubernetes_version, kubelet_version)
        artefacts = source_key(wanted, self._artifacts, source)
        directories = (self._artifacts.directory, self._bases.directory, self._images.directory)
        return ImageSource(key=recipe.source_key(artefacts), directories=directories)

    @explained("check the node image")
    def check(self, image: NodeImage) -> None:
        """See the port."""
        entry = self._images.find(image.key)
        if entry is not None and entry.is_sound():
            return
        if entry is not None:
            entry.condemn()
        raise StateError(
            f"Node image '{image.key}' fails its SHA-256.",
            details="It is not what was built, so the next run of `up` builds it again.",
            hint="bootstrap image build",
        )

    def find(self, key: str) -> NodeImage | None:
        """See the port."""
        entry = self._images.find(key)
        return None if entry is None else node_image(entry)

    @explained("adopt a node image")
    def adopt(self, directory: Path) -> NodeImage:
        """See the port."""
        key = directory.name
        found = replace(self._images, directory=directory.parent).find(key)
        if found is None or not found.is_sound():
            raise StateError(
                f"Node image '{key}' is not what was built.",
                details="A file of it is missing or damaged.",
                hint="bootstrap snapshot list",
            )
        with self._locked():
            self._images.prepare()
            known = self._images.find(key)
            if known is not None and known.sha256 != found.sha256:
                raise StateError(
                    f"Another node image '{key}' is here, of other bytes.",
                    details="Disks of this host may lie over it, so it stays.",
                    hint="bootstrap image list",
                )
            is_whole = known is not None and not known.is_condemned and known.is_sound()
            return node_image(known if known and is_whole else _moved(found, self._images))

    @explained("look up what the node image is made from")
    def materials(self, kubernetes_version: str, source: Source = Source.AUTO) -> Materials:
        """See the port."""
        built = self._artifacts.find(kubernetes_version, source)
        base = self._bases.find(recipe.base_key())
        if built is None or base is None:
            raise StateError(
                f"What the node image of {kubernetes_version} is made from is gone.",
                details="Another process has removed it.",
                hint="bootstrap image build",
            )
        return Materials(artifacts=built.directory, base=base.directory)

    @explained("adopt a base system")
    def adopt_base(self, directory: Path) -> None:
        """See the port."""
        found = replace(self._bases, directory=directory.parent).find(directory.name)
        if directory.name != recipe.base_key() or found is None or not found.is_sound():
            raise StateError(
                f"Base system '{directory.name}' is not what was made.",
                details="A file of it is missing or damaged, or another version has made it.",
                hint="bootstrap image list",
            )
        with self._locked():
            self._images.prepare()
            self._bases.prepare()
            _moved(found, self._bases)

    def adopt_artifacts(self, directory: Path) -> None:
        """See the port."""
        self._artifacts.adopt(directory)

    def list(self) -> Sequence[NodeImage]:
        """List the images that are there."""
        return [node_image(entry) for entry in self._images.list()]

    @explained("remove node images")
    def prune(self, in_use: Collection[str]) -> Sequence[str]:
        """Remove all images whose keys are not in use, and base systems of other recipes.

        Returns the keys of the images and the names of the base systems that it removed. No
        image needs the base system that it was made from.
        """
        with self._locked():
            self._images.prepare()
            bases = self._bases.prune({recipe.base_key()})
            return [*self._images.prune(in_use), *(f"base-{key}" for key in bases)]

    @explained("remove what killed builds left")
    def sweep(self) -> None:
        """See the port."""
        if not self._leftovers():
            return
        # A run that builds at this moment has removed the others' before.
        with contextlib.suppress(LockedError), self._locked(timeout_s=0):
            for leftover in self._leftovers():
                shutil.rmtree(leftover)

    def _leftovers(self) -> Sequence[Path]:
        return [*self._images.leftovers(), *self._bases.leftovers()]

    def _sound_image(self, key: str) -> Entry | None:
        return self._sound(self._images, key, "node image fails its SHA-256, so it is built again")

    def _sound(self, store: Store, key: str, note: str) -> Entry | None:
        entry = store.find(key)
        if entry is None or entry.is_sound():
            return entry
        self._events.note(f"The cached {note}")
        return None

    def _ensure_base(self, *, refresh: bool) -> None:
        with self._locked():
            self._images.prepare()
            if refresh or self._sound_base() is None:
                self._make_base()

    def _sound_base(self) -> Entry | None:
        note = "base system fails its SHA-256, so it is fetched again"
        return self._sound(self._bases, recipe.base_key(), note)

    def _build(self, parts: Parts) -> Entry:
        with self._locked():
            self._images.prepare()
            base = self._sound_base() or self._make_base()
            key, make = _key(base, parts), partial(self._bake, base, parts)
            packages = (base.fetched, parts.built.packages_fetched)
            fetched = min(time for time in packages if time is not None)
            # The process that held the lock before may have built it.
            return self._sound_image(key) or self._images.add(
                key,
                version=parts.version,
                kubelet=parts.kubelet.version if parts.kubelet else "",
                fetched=fetched,
                make=make,
            )

    def _make_base(self) -> Entry:
        self._events.note("Fetching the node image's base system from this host's Debian mirror")
        self._bases.prepare()
        return self._bases.add(
            recipe.base_key(), version=recipe.SUITE, fetched=self._now(), make=self._fetch_base
        )

    def _fetch_base(self, work: Path) -> None:
        fetch_packages(
            work / _BASE,
            suite=recipe.SUITE,
            packages=recipe.PACKAGES,
            options=recipe.BASE_OPTIONS,
            log=self._log(),
            report=self._events.progress,
        )

    def _bake(self, base: Entry, parts: Parts, work: Path) -> None:
        namespace.run_worker(
            "bootstrap.adapters.image.bake",
            BakeSpec(
                base_tar=str(base.directory / _BASE),
                key=_key(base, parts),
                variables=role_variables(parts),
                network=network.of_this_host() if parts.built.pulls else None,
            ),
            directory=work,
            action="build the node image",
            log=self._log(),
            line=BakeOutput(self._events).take,
        )

    def _log(self) -> Path:
        return private_directory(self._directories.cache / "logs") / "node-image.log"

    def _locked(self, timeout_s: float = _LOCK_TIMEOUT_S) -> AbstractContextManager[None]:
        lock = self._directories.images_lock
        return locked(lock, what="the node images", timeout_s=timeout_s)


def image_store(directories: Directories) -> Store:
    """Return the store of this host's node images."""
    files, is_shared = (DISK, KERNEL, INITRD), os.getuid() == 0
    return Store(directory=directories.images, files=files, is_shared=is_shared)


def node_image(entry: Entry) -> NodeImage:
    """Return an entry of the store as the image that nodes boot from."""
    return NodeImage(
        key=entry.directory.name,
        disk=entry.directory / DISK,
        kernel=entry.directory / KERNEL,
        initrd=entry.directory / INITRD,
        kubernetes_version=entry.version,
        kubelet_version=entry.kubelet or entry.version,
        size_bytes=entry.sizes[DISK],
        sha256=entry.sha256[DISK],
        packages_fetched=entry.fetched,
    )


def _moved(found: Entry, store: Store) -> Entry:
    """Have an entry of another directory in a store."""

    def move(work: Path) -> None:
        for name in found.sizes:
            shutil.move(found.directory / name, work / name)

    return store.add(
        found.directory.name,
        version=found.version,
        kubelet=found.kubelet,
        fetched=found.fetched,
        make=move,
    )


def _key(base: Entry, parts: Parts) -> str:
    return recipe.image_key(base.sha256[_BASE], parts.digest)
