"""A node's files in one archive: the same bytes for the same files, with a digest."""

import base64
import gzip
import io
import tarfile

from bootstrap.model.files import NodeFile
from bootstrap.planning.archive import archive, node_archive

FILES = [
    NodeFile(path="/etc/b", text="ü\n", mode=0o600),
    NodeFile(path="/etc/a/c", text=""),
]


def entries(data: bytes) -> dict[str, tuple[str, int]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {}
        for entry in tar.getmembers():
            file = tar.extractfile(entry)
            assert file is not None
            assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "root", "root")
            found[entry.name] = (file.read().decode(), entry.mode)
        return found


def test_files_come_back_with_their_text_and_mode() -> None:
    assert entries(archive(FILES)) == {"etc/b": ("ü\n", 0o600), "etc/a/c": ("", 0o644)}


def test_no_path_leads_out_of_the_root() -> None:
    """H-24."""
    assert not [name for name in entries(archive(FILES)) if name.startswith("/") or ".." in name]


def test_the_order_of_the_files_does_not_matter() -> None:
    """G-29."""
    assert archive(FILES) == archive(reversed(FILES))


def test_the_digest_is_that_of_exactly_these_files() -> None:
    digest, packed = node_archive(FILES).splitlines()
    assert entries(gzip.decompress(base64.b64decode(packed))) == entries(archive(FILES))
    changed = [FILES[0], NodeFile(path="/etc/a/c", text="", mode=0o755)]
    assert node_archive(changed).splitlines()[0] != digest
    assert node_archive(reversed(FILES)) == node_archive(FILES)
