"""Artefacts that take no time to build."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bootstrap.adapters.artifacts.go.components import components_of
from bootstrap.adapters.artifacts.store import Artifact as StoredArtifact
from bootstrap.adapters.artifacts.store import ArtifactSet
from bootstrap.errors import HostError
from bootstrap.model.sources import Source
from bootstrap.ports import Artifact


class FakeArtifacts:
    """Implements ``Artifacts``: one set, which is built, for each supported version."""

    def __init__(self, archive: Path, programs: Sequence[str] = ()) -> None:
        self.built = ArtifactSet(
            directory=archive.parent,
            binaries={name: archive.parent / "bin" / name for name in programs},
            links={"kubeadm": "kube", "kubectl": "kube", "kubelet": "kube"},
            image_archive=archive,
            pulls={},
            digest="first",
            packages_fetched="2040-01-01T00:00:00+00:00",
        )
        #: Whether Debian packages can be fetched.
        self.has_mirror = True
        self.asked: list[str] = []
        #: The one that was asked for last.
        self.source = Source.AUTO
        #: Those that were made alone, by version.
        self.kubelets: dict[str, Artifact] = {}

    def key(self, kubernetes_version: str, source: Source = Source.AUTO) -> str:
        components_of(kubernetes_version)
        return f"{kubernetes_version} of {source} in {self.directory}"

    @property
    def directory(self) -> Path:
        return self.built.directory.parent

    def find(self, kubernetes_version: str, source: Source = Source.AUTO) -> ArtifactSet:  # noqa: ARG002
        components_of(kubernetes_version)
        return self.built

    def ensure(
        self, kubernetes_version: str, source: Source = Source.AUTO, *, refresh: bool = False
    ) -> ArtifactSet:
        components_of(kubernetes_version)
        self.source = source
        self.asked.append(kubernetes_version)
        if refresh and not self.has_mirror:
            raise HostError("This host has no Debian mirror.", hint="sudo apt-get update")
        if refresh:
            self.built = replace(self.built, digest=f"{self.built.digest} again")
        return self.built

    def find_kubelet(
        self,
        kubernetes_version: str,
        source: Source = Source.AUTO,  # noqa: ARG002
    ) -> Artifact | None:
        components_of(kubernetes_version)
        return self.kubelets.get(kubernetes_version)

    def ensure_kubelet(self, kubernetes_version: str, source: Source = Source.AUTO) -> Artifact:
        components_of(kubernetes_version)
        self.source = source
        self.asked.append(f"kubelet {kubernetes_version}")
        made = StoredArtifact(
            name="kube",
            version=kubernetes_version,
            size_bytes=1,
            sha256=f"that of kubelet {kubernetes_version}",
            path=self.directory / kubernetes_version / "kube",
        )
        return self.kubelets.setdefault(kubernetes_version, made)

    def kubectl(self, kubernetes_version: str) -> Path | None:
        components_of(kubernetes_version)
        return self.built.binaries.get("kube")

    def adopt(self, directory: Path) -> None:
        raise NotImplementedError(directory)

    def list(self) -> Sequence[Artifact]:
        return []

    def prune(self) -> Sequence[str]:
        return []
