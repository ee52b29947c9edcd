"""Write the layers of container images: tars without times and user names."""

import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bootstrap.adapters.files import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """An uncompressed tar; images that share it share the unpacked files."""

    path: Path
    sha256: str
    size_bytes: int


def read_layer(path: Path) -> Layer:
    """Describe an existing tar as a layer."""
    return Layer(path=path, sha256=sha256_of(path), size_bytes=path.stat().st_size)


def write_layer(path: Path, files: Mapping[str, Path], links: Mapping[str, str]) -> Layer:
    """Write a layer of programs and symbolic links; the keys are paths in the image."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        _add_directories(tar, [*files, *links])
        for name, source in sorted(files.items()):
            add_file(tar, name, source, mode=0o755)
        _add_links(tar, links)
    return read_layer(path)


def copy_layer(
    path: Path, source: Path, is_wanted: Callable[[str], bool], links: Mapping[str, str]
) -> Layer:
    """Write a layer of some files of another tar and of symbolic links."""
    with (
        tarfile.open(source) as old,
        tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as new,
    ):
        members = {str(PurePosixPath(member.name)): member for member in old}
        kept = [name for name in sorted(members) if is_wanted(name) and not members[name].isdir()]
        _add_directories(new, [*kept, *links])
        for name in kept:
            member = members[name]
            if member.issym():
                _add_links(new, {name: member.linkname})
            # For a hard link these are the bytes of its target, so the order does not matter.
            elif (file := old.extractfile(member)) is not None:
                add_file(new, name, file.read(), mode=member.mode & 0o755)
        _add_links(new, links)
    return read_layer(path)


def add_file(tar: tarfile.TarFile, name: str, content: Path | bytes, *, mode: int = 0o644) -> None:
    """Add a file from the disk or from memory."""
    entry = _entry(name, tarfile.REGTYPE, mode=mode)
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        entry.size = file.seek(0, io.SEEK_END)
        file.seek(0)
        tar.addfile(entry, file)


def _add_directories(tar: tarfile.TarFile, names: Iterable[str]) -> None:
    parents = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    for directory in sorted(parents - {"."}):
        tar.addfile(_entry(directory, tarfile.DIRTYPE, mode=0o755))


def _add_links(tar: tarfile.TarFile, links: Mapping[str, str]) -> None:
    for name, target in sorted(links.items()):
        entry = _entry(name, tarfile.SYMTYPE, mode=0o777)
        entry.linkname = target
        tar.addfile(entry)


def _entry(name: str, kind: bytes, *, mode: int) -> tarfile.TarInfo:
    # The defaults of TarInfo are time 0, root and no user names.
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.mode = mode
    return entry
