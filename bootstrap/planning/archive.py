"""Pack a node's files, with the same bytes for the same files."""

import base64
import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable

from bootstrap.model.files import NodeFile

#: Any fixed time but zero, which some tools take for "unknown".
_MTIME = 1_000_000_000


def node_archive(files: Iterable[NodeFile]) -> str:
    """Return the two lines that a node's write-files reads: a digest and, in base64, an archive.

    By the digest the node knows whether it has written exactly these files already.
    """
    content = archive(files)
    packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    return f"{hashlib.sha256(content).hexdigest()}\n{packed}\n"


def archive(files: Iterable[NodeFile]) -> bytes:
    """Return a tar archive of ``files`` with paths relative to the root, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(files, key=lambda file: file.path):
            data = file.text.encode()
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.mtime = len(data), file.mode, _MTIME
            entry.uname = entry.gname = "root"
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
