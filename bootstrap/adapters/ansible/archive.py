"""Pack a node's files, with the same bytes for the same files."""

import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass

from bootstrap.planning.node_files import NodeFile

#: Any fixed moment that is not zero, which some tools take for "unknown".
_MTIME = 1_000_000_000
_STAMPS = "/var/lib/bootstrap/files"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeArchive:
    """A node's files; the stamp is one of them, so that it is there only with all others."""

    content: bytes
    #: Path of a file on the node that tells that exactly these files were written.
    stamp: str


def node_archive(files: Iterable[NodeFile]) -> NodeArchive:
    """Pack a node's files together with a stamp named by their digest."""
    given = list(files)
    stamp = f"{_STAMPS}/{hashlib.sha256(archive(given)).hexdigest()[:32]}"
    return NodeArchive(content=archive([*given, NodeFile(path=stamp, text="")]), stamp=stamp)


def archive(files: Iterable[NodeFile]) -> bytes:
    """Give a tar archive of ``files`` with paths relative to the root, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(files, key=lambda file: file.path):
            data = file.text.encode()
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.mtime = len(data), file.mode, _MTIME
            entry.uname = entry.gname = "root"
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
