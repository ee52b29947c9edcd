"""The artefact source ``go``: build every program of a node from Go modules, once."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bootstrap.adapters.artifacts import images
from bootstrap.adapters.artifacts.go.builder import Builder, inputs_digest
from bootstrap.adapters.artifacts.go.components import KUBE, Component, components_of
from bootstrap.adapters.artifacts.go.toolchain import Toolchain
from bootstrap.adapters.artifacts.nft import SUITE, write_nft_layer
from bootstrap.adapters.artifacts.origin import KUBERNETES_PROGRAMS, ArtifactOrigin
from bootstrap.adapters.artifacts.store import IMAGE_ARCHIVE, ArtifactSet, Store
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.threads import together

#: The layer below kube-proxy in its image.
_BASE_LAYER = "kube-proxy-base.tar"
#: One is fetched while another is compiled; Go itself keeps all processors busy.
_MODULES_AT_ONCE = 2


class GoArtifacts(ArtifactOrigin):
    """Builds the artefacts of a Kubernetes version once for all processes of this user.

    The key of a set is a hash of the sources and of the commands. The Go release is no part
    of it: every release that the ``go.mod`` files allow may build a set, and continue one.
    Without a complete set, the host needs Go, modules, packages of Debian and space.
    """

    kubectl = kubelet = KUBE

    def key(self, kubernetes_version: str) -> str:
        """See the base class."""
        components = components_of(kubernetes_version)
        inputs = inputs_digest(kubernetes_version, components, self._modules)
        text = f"{inputs} {SUITE} {images.LAYOUT}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _files(self, kubernetes_version: str) -> Sequence[str]:
        programs = [component.name for component in components_of(kubernetes_version)]
        return [*programs, _BASE_LAYER, IMAGE_ARCHIVE]

    def _describe(self, kubernetes_version: str, store: Store) -> ArtifactSet:
        programs = [component.name for component in components_of(kubernetes_version)]
        return ArtifactSet(
            directory=store.directory,
            binaries={name: store.directory / name for name in programs},
            links=dict.fromkeys(KUBERNETES_PROGRAMS, KUBE),
            image_archive=store.directory / IMAGE_ARCHIVE,
            pulls={},
            digest=store.digest(self._files(kubernetes_version)),
            packages_fetched=store.artifacts()[_BASE_LAYER].made,
        )

    def _make(self, kubernetes_version: str, store: Store, *, refresh: bool) -> None:
        go = self._toolchain()
        with self._sets.changing(store):
            if refresh:
                self._make_base(store)
            self._complete(kubernetes_version, components_of(kubernetes_version), store, go)

    def _make_kubelet(self, kubernetes_version: str, store: Store) -> None:
        go = self._toolchain()
        parts = [part for part in components_of(kubernetes_version) if part.name == self.kubelet]
        with self._sets.changing(store):
            self._build(parts, store, go)

    def _build(
        self,
        components: Sequence[Component],
        store: Store,
        go: Toolchain,
        *others: Callable[[], None],
    ) -> None:
        """Build what is missing of the components, and do the other work at the same time."""
        missing = [part for part in components if not self._is_sound(store, part.name)]
        builder = Builder(go=go, modules=self._modules, log=store.log, events=self._events)

        def build(part: Component) -> None:
            store.add(part.name, part.version, partial(builder.build, part), mode=0o755)

        together(*builder.works(missing, build), *others, threads=_MODULES_AT_ONCE)

    def _complete(
        self, version: str, components: Sequence[Component], store: Store, go: Toolchain
    ) -> None:
        self._build(components, store, go, partial(self._ensure_base, store))
        binaries = {part.name: store.directory / part.name for part in components}
        archive = partial(self._write_archive, version, binaries, store, go.architecture)
        self._ensure(store, IMAGE_ARCHIVE, version, archive)

    def _ensure_base(self, store: Store) -> None:
        if not self._is_sound(store, _BASE_LAYER):
            self._make_base(store)

    def _make_base(self, store: Store) -> None:
        self._events.note("Fetching nft for kube-proxy's image from the Debian mirror.")
        make = partial(write_nft_layer, log=store.log, report=self._events.progress)
        store.add(_BASE_LAYER, SUITE, make, mode=0o644)

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
        base = store.directory / _BASE_LAYER
        wanted = [*names, CHECK_IMAGE]
        images.write_images(output, wanted, binaries, base, architecture=architecture)
