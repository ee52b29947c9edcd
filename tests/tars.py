"""Take archives apart, and write them as nobody of good will would."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

Members = list[tuple[tarfile.TarInfo, bytes]]


def members_of(file: Path) -> Members:
    with tarfile.open(file) as archive:
        return [(one, (archive.extractfile(one) or io.BytesIO()).read()) for one in archive]


def write_tar(file: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> None:
    """Write members; files get the size of their data."""
    with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as archive:
        for member, data in members:
            if member.isreg():
                plain = tarfile.TarInfo(member.name)
                plain.size, plain.mode = len(data), member.mode
                archive.addfile(plain, io.BytesIO(data))
            else:
                archive.addfile(member)
