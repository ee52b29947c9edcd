"""The programs and container images that Kubernetes is installed from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bootstrap.model.sources import Source


class Artifact(Protocol):
    """One file that was built."""

    @property
    def name(self) -> str:
        """The program or the container image."""

    @property
    def version(self) -> str:
        """The version of its source."""

    @property
    def size_bytes(self) -> int:
        """The size of the file."""

    @property
    def sha256(self) -> str:
        """The digest of the file when it was built."""

    @property
    def path(self) -> Path:
        """Where the file is."""

    @property
    def made(self) -> str:
        """When it was built, in ISO 8601; empty if unknown."""


class BuiltArtifacts(Protocol):
    """The programs and container images of one Kubernetes version."""

    @property
    def directory(self) -> Path:
        """Where all of them are."""

    @property
    def binaries(self) -> Mapping[str, Path]:
        """The programs by name."""

    @property
    def links(self) -> Mapping[str, str]:
        """Programs by which of the binaries they are, if one binary is several programs."""

    @property
    def image_archive(self) -> Path:
        """An OCI archive of the container images that were made here."""

    @property
    def pulls(self) -> Mapping[str, str]:
        """The other container images, each with the URL that containerd pulls it from by digest."""

    @property
    def digest(self) -> str:
        """SHA-256 over every file, and over the digests of the images to pull."""

    @property
    def packages_fetched(self) -> str | None:
        """When the Debian packages in them were fetched, in ISO 8601; empty if unknown.

        None if there are no such packages in them.
        """


class Artifacts(Protocol):
    """Holds artefacts, each made once for its sources."""

    def key(self, kubernetes_version: str, source: Source = Source.AUTO) -> str:
        """Return the key of what the artefacts of a version are made from; makes nothing.

        :raises UsageError: if the source does not have the version.
        """

    @property
    def directory(self) -> Path:
        """Where all sets are, which need not exist."""

    def find(self, kubernetes_version: str, source: Source = Source.AUTO) -> BuiltArtifacts | None:
        """Return the artefacts of a version if all are there by their sizes; none is read.

        :raises UsageError: if the source does not have the version.
        """

    def ensure(
        self, kubernetes_version: str, source: Source = Source.AUTO, *, refresh: bool = False
    ) -> BuiltArtifacts:
        """Return the artefacts of a version, making what is missing.

        ``refresh`` fetches the Debian packages in them anew, though they are there.

        :raises HostError: if the source cannot be reached, or this host lacks a tool.
        :raises UsageError: if the source does not have the version.
        """

    def find_kubelet(
        self, kubernetes_version: str, source: Source = Source.AUTO
    ) -> Artifact | None:
        """Return a program of that version which is kubelet when it is started by that name.

        It is judged by its size. None if it is not there.

        :raises UsageError: if the source does not have the version.
        """

    def ensure_kubelet(self, kubernetes_version: str, source: Source = Source.AUTO) -> Artifact:
        """Return the same program, read and hashed, making it and nothing else if it is missing.

        :raises HostError: as ``ensure`` does.
        :raises UsageError: as ``ensure`` does.
        """

    def kubectl(self, kubernetes_version: str) -> Path | None:
        """Find a program of that version which is kubectl when it is started by that name.

        One that other versions of the sources left will do. Builds nothing; None without one.
        """

    def adopt(self, directory: Path) -> None:
        """Keep a whole set that another host has made, in place of one of its key that is here.

        Its directory is named as its key. The caller removes what is left of it.

        :raises StateError: if it is not what was made, or is that of another version of the tool.
        """

    def list(self) -> Sequence[Artifact]:
        """List every file that is built and whole."""

    def prune(self) -> Sequence[str]:
        """Remove what other versions of the sources left, and return the names."""
