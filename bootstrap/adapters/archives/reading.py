"""Check an archive of container images before anything else sees it.

It is an OCI layout or what `docker save` writes, and containerd takes the former if both are
there. The names, the platform and all that they refer to are looked at; the bytes of an OCI
layout are compared with their SHA-256.
"""

import bz2
import gzip
import hashlib
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from bootstrap.errors import UsageError
from bootstrap.model.loading import LoadableImage
from bootstrap.model.references import full_reference

_LARGEST_TEXT = 4 << 20
_CHUNK = 1 << 20
_PLATFORM = ("linux", "amd64")
_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_BROKEN = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, ValueError)
_PACKED: Mapping[bytes, Callable[[Path], BufferedIOBase]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
M = TypeVar("M", bound=BaseModel)


class _Platform(BaseModel):
    os: str = ""
    architecture: str = ""


class _Descriptor(BaseModel):
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    size: int
    annotations: dict[str, str] | None = None
    platform: _Platform | None = None


class _Manifest(BaseModel):
    """An image, or an index of the same image for several platforms."""

    config: _Descriptor | None = None
    layers: list[_Descriptor] = []
    manifests: list[_Descriptor] = []


class _DockerImage(BaseModel):
    model_config = ConfigDict(alias_generator=str.capitalize)

    config: str
    layers: list[str]
    repotags: list[str] | None = Field(default=None, alias="RepoTags")


class _DockerManifest(RootModel[list[_DockerImage]]):
    pass


class _FaultError(Exception):
    """What is wrong with an archive."""


def opened(path: Path) -> BufferedIOBase:
    """Open a file to read what was in it before it was compressed, if it is."""
    with path.open("rb") as file:
        begin = file.read(max(map(len, _PACKED)))
    unpack = next((one for magic, one in _PACKED.items() if begin.startswith(magic)), None)
    return unpack(path) if unpack else path.open("rb")


def read_archive(path: Path) -> tuple[LoadableImage, ...]:
    """Return the images of an archive, which may be compressed as a whole.

    :raises UsageError: if containerd would not load it, or the kubelet not find its images.
    """
    try:
        with opened(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            images = tuple(_Archive(tar).images())
            while file.read(_CHUNK):
                pass  # what is compressed ends with its checksum
            return images
    except _FaultError as error:
        raise _refused(path, str(error)) from error
    except _BROKEN as error:
        raise _refused(path, f"It is no whole tar: {error}.") from error


def layout_name(notes: Mapping[str, str] | None) -> str | None:
    """Return the name that containerd gives an entry of an OCI index, from its annotations."""
    return next((notes[key] for key in _NAMES if notes.get(key)), None) if notes else None


class _Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {str(PurePosixPath(member.name)): member for member in tar}

    def images(self) -> Iterator[LoadableImage]:
        if "oci-layout" in self._members:
            found = list(self._of_layout())
        elif "manifest.json" in self._members:
            found = list(self._of_docker())
        else:
            raise _FaultError("It has neither an 'oci-layout' nor a 'manifest.json'.")
        if not found:
            raise _FaultError("No image in it has a name; save images by name and tag.")
        yield from found

    def _of_layout(self) -> Iterator[LoadableImage]:
        for entry in self._read("index.json", _Manifest).manifests:
            name = layout_name(entry.annotations)
            if name is not None:
                yield LoadableImage(name=_complete(name), config=self._config_of(entry))

    def _config_of(self, entry: _Descriptor, *, depth: int = 0) -> str:
        """Check the blobs of an image and return the digest of its configuration."""
        manifest = self._read(self._checked(entry), _Manifest)
        if manifest.config is None:
            ours = next((one for one in manifest.manifests if _is_ours(one)), None)
            if ours is None or depth:
                raise _FaultError("It has no image for linux/amd64.")
            return self._config_of(ours, depth=depth + 1)
        self._check_platform(self._checked(manifest.config))
        for layer in manifest.layers:
            self._checked(layer)
        return manifest.config.digest

    def _of_docker(self) -> Iterator[LoadableImage]:
        for image in self._read("manifest.json", _DockerManifest).root:
            self._check_platform(image.config)
            for layer in image.layers:
                self._member(layer)
            config = f"sha256:{hashlib.sha256(self._text(image.config)).hexdigest()}"
            for tag in image.repotags or ():
                yield LoadableImage(name=_reference(tag), config=config)

    def _check_platform(self, config: str) -> None:
        found = self._read(config, _Platform)
        if (found.os, found.architecture) != _PLATFORM:
            kind = f"{found.os or 'no system'}/{found.architecture or 'no architecture'}"
            raise _FaultError(f"An image is for {kind}; the nodes are linux/amd64.")

    def _checked(self, blob: _Descriptor) -> str:
        """Return the name of a blob whose bytes are those that it was named for."""
        name = f"blobs/{blob.digest.replace(':', '/')}"
        file = self._tar.extractfile(self._member(name))
        digest, size = hashlib.sha256(), 0
        while file is not None and (chunk := file.read(_CHUNK)):
            digest.update(chunk)
            size += len(chunk)
        if (f"sha256:{digest.hexdigest()}", size) != (blob.digest, blob.size):
            raise _FaultError(f"'{name}' in it is damaged.")
        return name

    def _member(self, name: str) -> tarfile.TarInfo:
        member = self._members.get(str(PurePosixPath(name)))
        if member is None:
            raise _FaultError(f"'{name}' is not in it, although an image refers to it.")
        return member

    def _text(self, name: str) -> bytes:
        member = self._member(name)
        file = self._tar.extractfile(member) if member.size <= _LARGEST_TEXT else None
        if file is None:
            raise _FaultError(f"'{name}' in it is not a text.")
        return file.read()

    def _read(self, name: str, model: type[M]) -> M:
        try:
            return model.model_validate_json(self._text(name))
        except ValidationError as error:
            raise _FaultError(
                f"'{name}' in it is not what it should be: {_first(error)}."
            ) from error


def _is_ours(entry: _Descriptor) -> bool:
    found = entry.platform
    return found is not None and (found.os, found.architecture) == _PLATFORM


def _complete(name: str) -> str:
    """Refuse a name that the kubelet would complete, and then not find."""
    full = _reference(name)
    if full != name:
        raise _FaultError(f"An image in it is named '{name}', and the kubelet asks for '{full}'.")
    return name


def _reference(text: str) -> str:
    try:
        return full_reference(text)
    except ValueError as error:
        raise _FaultError(f"{error}.") from error


def _first(error: ValidationError) -> str:
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'text'}: {fault['msg']}"


def _refused(path: Path, details: str) -> UsageError:
    return UsageError(
        f"'{path}' is not an archive of container images for the nodes.",
        details=details,
        hint="bootstrap image load --help",
    )
