"""Files in one tar archive, to be taken to another host; the first of them is their manifest.

Who reads it knows from the manifest which files there are, and checks what they hold.
"""

import os
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bootstrap.adapters.files import replacing
from bootstrap.adapters.process import run
from bootstrap.errors import StateError

MANIFEST = "manifest.json"
_TIMEOUT_S = 3600
#: A manifest has a few KiB.
_LONGEST_MANIFEST = 1 << 20
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveKind:
    """What an archive is, and what to type when it is none."""

    name: str
    hint: str

    def refusal(self, source: Path, why: str) -> StateError:
        """Return the error of a file that is not such an archive, or not a whole one."""
        return StateError(
            f"File '{source}' is not a whole {self.name}.", details=why, hint=self.hint
        )


def write_archive(target: Path, parts: Sequence[tuple[Path, Sequence[str]]]) -> None:
    """Write files, by directories and their names in them; a kill leaves all or nothing.

    Links are followed. The first file has to be the manifest.

    :raises BootstrapError: if it cannot be written, as on a full disk.
    """
    files: list[str | Path] = []
    for place, names in parts:
        files += ["--directory", place, *names]
    with replacing(target) as temporary:
        run(
            [
                *("tar", "--create", "--sparse", "--format=gnu", "--dereference"),
                *("--hard-dereference", "--owner=root:0", "--group=root:0"),
                *("--file", temporary, *files),
            ],
            action=f"write '{target}'",
            timeout_s=_TIMEOUT_S,
            hint="df -h",
        )


def read_manifest(source: Path, kind: ArchiveKind) -> bytes:
    """Return the manifest of an archive, which is the first of its files.

    :raises StateError: if it is no such archive.
    """
    found: list[bytes] = []

    def take(archive: tarfile.TarFile) -> None:
        first = archive.next()
        if first is None or first.name != MANIFEST or not 0 < first.size <= _LONGEST_MANIFEST:
            raise kind.refusal(source, "It does not begin with a manifest.")
        found.append(_content(archive, first).read())

    _read(source, kind, take)
    return found[0]


def read_files(
    source: Path,
    wanted: Mapping[str, int | None],
    kind: ArchiveKind,
    take: Callable[[tarfile.TarInfo, IO[bytes]], None],
) -> None:
    """Give ``take`` each file of an archive; ``wanted`` has their names and sizes, if known.

    :raises StateError: if a file is missing, another one is there or one twice, or one has another
        size or is none.
    """
    left = dict(wanted)

    def take_all(archive: tarfile.TarFile) -> None:
        for member in archive:
            if member.name not in left or not member.isreg():
                raise kind.refusal(source, f"It holds '{member.name[:60]}'.")
            size = left.pop(member.name)
            if size not in (None, member.size):
                why = f"Its '{member.name}' has {member.size} bytes and not {size}."
                raise kind.refusal(source, why)
            take(member, _content(archive, member))

    _read(source, kind, take_all)
    if left:
        raise kind.refusal(source, f"It lacks {', '.join(sorted(left))}.")


def save_file(
    content: IO[bytes],
    target: Path | None,
    *,
    also: Callable[[bytes], object] = lambda _: None,
) -> None:
    """Write one file, with holes where it has only zeros; ``also`` gets each block too.

    Without a target nothing is written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    place = target or Path(os.devnull)
    descriptor = os.open(place, flags if target else os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := content.read(_BLOCK):
            also(block)
            if block.strip(b"\0"):
                file.write(block)
            else:
                file.seek(len(block), os.SEEK_CUR)
        if target:
            file.truncate()


def _read(source: Path, kind: ArchiveKind, take: Callable[[tarfile.TarFile], None]) -> None:
    try:
        # Not packed: a few bytes could become any number.
        with tarfile.open(source, "r:") as archive:
            take(archive)
    except (tarfile.TarError, EOFError) as error:
        raise kind.refusal(source, str(error)) from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    assert content is not None  # noqa: S101 - a regular file has one
    return content
