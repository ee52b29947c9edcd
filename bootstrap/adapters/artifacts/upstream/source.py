"""The artefact source ``upstream``: take the projects' own releases, each by its digest."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bootstrap.adapters.artifacts import images
from bootstrap.adapters.artifacts.go.builder import Builder, inputs_digest
from bootstrap.adapters.artifacts.go.components import Component, components_of
from bootstrap.adapters.artifacts.origin import ArtifactOrigin
from bootstrap.adapters.artifacts.store import IMAGE_ARCHIVE, ArtifactSet, Store
from bootstrap.adapters.artifacts.upstream.pins import Pins
from bootstrap.adapters.artifacts.upstream.registry import published_digest, reference
from bootstrap.adapters.artifacts.upstream.releases import Release, architecture, releases_of
from bootstrap.adapters.directories import Directories
from bootstrap.adapters.downloads.checksums import checksum_of
from bootstrap.adapters.downloads.connections import without_password
from bootstrap.adapters.downloads.fetch import Downloads, RemoteFile
from bootstrap.errors import BootstrapError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.ports import Events

#: The names of the images that kubeadm asks for, with their digests.
_PULLS = "pulls.json"


class UpstreamArtifacts(ArtifactOrigin):
    """Takes the programs of a Kubernetes version from their releases.

    The images are pulled by containerd while a node image is made; here are their digests. The
    program that clusters are verified with is ours, and is built: of Go's standard library only,
    so it needs Go and no module.
    """

    kubectl = "kubectl"
    kubelet = "kubelet"

    def __init__(self, directories: Directories, events: Events) -> None:
        super().__init__(directories, events)
        self._pins = Pins(directories)
        self.downloads = Downloads(directories.cache / "downloads", events)

    def key(self, kubernetes_version: str) -> str:
        """See the base class. Whether a mirror is used makes no difference."""
        arch = architecture()
        parts = [
            inputs_digest(kubernetes_version, [_check(kubernetes_version)], self._modules),
            str(images.LAYOUT),
            *(release.address for release in releases_of(kubernetes_version, arch)),
        ]
        return hashlib.sha256(" ".join(["upstream", *parts]).encode()).hexdigest()[:32]

    def find(self, kubernetes_version: str) -> ArtifactSet | None:
        """See the base class. The digests of the images are read, so a damaged file is no set."""
        store = self._sets.store(self.key(kubernetes_version))
        return super().find(kubernetes_version) if store.is_sound(_PULLS) else None

    def _files(self, kubernetes_version: str) -> Sequence[str]:
        return [*_programs(kubernetes_version), _PULLS, IMAGE_ARCHIVE]

    def _describe(self, kubernetes_version: str, store: Store) -> ArtifactSet:
        digests: Mapping[str, str] = json.loads((store.directory / _PULLS).read_text())
        return ArtifactSet(
            directory=store.directory,
            binaries={name: store.directory / name for name in _programs(kubernetes_version)},
            links={},
            image_archive=store.directory / IMAGE_ARCHIVE,
            pulls={name: reference(name, sha256) for name, sha256 in digests.items()},
            digest=store.digest(self._files(kubernetes_version)),
            packages_fetched=None,
        )

    def _make(self, kubernetes_version: str, store: Store, *, refresh: bool) -> None:  # noqa: ARG002 - no packages
        with self._sets.changing(store):
            for release in releases_of(kubernetes_version, architecture()):
                self._take(release, store)
            self._build_check(_check(kubernetes_version), store)
            write = partial(self._write_pulls, kubernetes_version, store)
            self._ensure(store, _PULLS, kubernetes_version, write)
            archive = partial(self._write_archive, store)
            self._ensure(store, IMAGE_ARCHIVE, kubernetes_version, archive)

    def _make_kubelet(self, kubernetes_version: str, store: Store) -> None:
        with self._sets.changing(store):
            for release in releases_of(kubernetes_version, architecture()):
                if self.kubelet in release.programs.values():
                    self._take(release, store)

    def _take(self, release: Release, store: Store) -> None:
        """Download a release unless its programs are there; the download itself is not kept."""
        missing = [name for name in release.programs.values() if not self._is_sound(store, name)]
        if not missing:
            return
        file = RemoteFile(
            url=f"{release.site.base}/{release.path}",
            sha256=self._sha256(release),
            title=release.title,
        )
        download = self.downloads.fetch(file)
        for place, name in release.programs.items():
            if name in missing:
                make = partial(_copy, download, place)
                store.add(name, release.version, make, mode=0o755)
        download.unlink()

    def _sha256(self, release: Release) -> str:
        def published() -> str:
            url = f"{release.site.base}/{release.path}{release.checksum}"
            text = self.downloads.read(url, trust=release.site.answers)
            self._events.note(
                f"No checksum of {release.title} is pinned: recording the one at its release."
            )
            return checksum_of(release.name, text, without_password(url))

        return self._pins.ensure(release.address, published)

    def _build_check(self, check: Component, store: Store) -> None:
        if self._is_sound(store, check.name):
            return
        go = self._toolchain()
        builder = Builder(go=go, modules=self._modules, log=store.log, events=self._events)
        builder.fetch([check])
        store.add(check.name, check.version, partial(builder.build, check), mode=0o755)

    def _write_pulls(self, kubernetes_version: str, store: Store, output: Path) -> None:
        kubeadm = store.directory / "kubeadm"
        names = images.wanted_images(kubeadm, kubernetes_version, store.work)
        digests = {
            name: self._pins.ensure(name, partial(published_digest, name, self.downloads))
            for name in names
        }
        output.write_text(json.dumps(dict(sorted(digests.items())), indent=1) + "\n")

    def _write_archive(self, store: Store, output: Path) -> None:
        binaries = {"node": store.directory / "node"}
        arch = architecture()
        images.write_images(output, [CHECK_IMAGE], binaries, None, architecture=arch)


def _check(kubernetes_version: str) -> Component:
    """Return the program that clusters are verified with."""
    return next(part for part in components_of(kubernetes_version) if part.name == "node")


def _programs(kubernetes_version: str) -> Sequence[str]:
    releases = releases_of(kubernetes_version, architecture())
    return [*(name for release in releases for name in release.programs.values()), "node"]


def _copy(download: Path, place: str, output: Path) -> None:
    """Copy a program out of a download: of the file itself, or of an archive.

    :raises BootstrapError: if the archive does not have it.
    """
    if not place:
        shutil.copyfile(download, output)
        return
    with tarfile.open(download) as archive:
        for member in archive:
            if member.isreg() and member.name.removeprefix("./") == place:
                content = archive.extractfile(member)
                assert content is not None  # noqa: S101 - it is a regular file
                with content, output.open("wb") as file:
                    shutil.copyfileobj(content, file)
                return
    raise BootstrapError(
        f"A release has no program '{place}' in its archive.",
        details=f"SHA-256 of the archive: {download.name}",
        hint="bootstrap artifacts build --source go",
    )
