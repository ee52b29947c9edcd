"""A layer depends on what is in its files and on nothing else."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from bootstrap.adapters.artifacts.layers import copy_layer, read_layer, write_layer
from bootstrap.adapters.artifacts.nft import is_part_of_layer


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF")
    return path


def _names(layer: Path) -> list[str]:
    with tarfile.open(layer) as tar:
        return tar.getnames()


def test_the_same_files_give_the_same_bytes_whatever_their_times_modes_and_order(
    tmp_path: Path, program: Path
) -> None:
    first = write_layer(tmp_path / "a.tar", {"b": program, "a/x": program}, {"c": "b", "d": "b"})
    os.utime(program, (1, 1))
    program.chmod(0o600)
    second = write_layer(tmp_path / "b.tar", {"a/x": program, "b": program}, {"d": "b", "c": "b"})
    assert first.sha256 == second.sha256
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_layer_has_its_directories_before_its_files(tmp_path: Path, program: Path) -> None:
    write_layer(tmp_path / "a.tar", {"usr/local/bin/kube": program}, {"usr/local/bin/x": "kube"})
    assert _names(tmp_path / "a.tar") == [
        "usr",
        "usr/local",
        "usr/local/bin",
        "usr/local/bin/kube",
        "usr/local/bin/x",
    ]


def test_programs_are_executable_and_owned_by_root_at_time_zero(
    tmp_path: Path, program: Path
) -> None:
    write_layer(tmp_path / "a.tar", {"p": program}, {})
    with tarfile.open(tmp_path / "a.tar") as tar:
        entry = tar.getmember("p")
    assert (entry.mode, entry.uid, entry.gid, entry.mtime, entry.uname) == (0o755, 0, 0, 0, "")


def _old_tar(path: Path, *, mtime: int) -> None:
    """Write a tar as mmdebstrap does: ``./`` names, times, directories, links of both kinds."""
    with tarfile.open(path, "w") as tar:
        for name, kind, target in (
            ("./usr/sbin/nft", tarfile.REGTYPE, ""),
            ("./usr/share/doc/x", tarfile.REGTYPE, ""),
            ("./usr/lib", tarfile.DIRTYPE, ""),
            ("./usr/lib/z.so.1", tarfile.REGTYPE, ""),
            ("./usr/lib/a.so", tarfile.SYMTYPE, "z.so.1"),
            ("./usr/lib/b.so", tarfile.LNKTYPE, "./usr/lib/z.so.1"),
            ("./usr/lib/gconv/EUC.so", tarfile.REGTYPE, ""),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mtime, entry.mode = kind, target, mtime, 0o4755
            if kind == tarfile.REGTYPE:
                entry.size = len(name)
                tar.addfile(entry, io.BytesIO(name.encode()))
            else:
                tar.addfile(entry)


def test_a_copied_layer_holds_the_wanted_files_and_the_merged_directories(tmp_path: Path) -> None:
    _old_tar(tmp_path / "old.tar", mtime=1)
    copy_layer(tmp_path / "a.tar", tmp_path / "old.tar", is_part_of_layer, {"lib": "usr/lib"})
    assert _names(tmp_path / "a.tar") == [
        "usr",
        "usr/lib",
        "usr/sbin",
        "usr/lib/a.so",
        "usr/lib/b.so",
        "usr/lib/z.so.1",
        "usr/sbin/nft",
        "lib",
    ]
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getmember("usr/lib/a.so").linkname == "z.so.1"
        hard_link = tar.extractfile("usr/lib/b.so")
        assert hard_link is not None
        assert hard_link.read() == b"./usr/lib/z.so.1"
        assert tar.getmember("usr/sbin/nft").mode == 0o755


def test_a_copied_layer_does_not_depend_on_the_times_of_the_other_tar(tmp_path: Path) -> None:
    digests = set()
    for mtime in (1, 2):
        _old_tar(tmp_path / "old.tar", mtime=mtime)
        copied = copy_layer(tmp_path / "a.tar", tmp_path / "old.tar", is_part_of_layer, {})
        digests.add(copied.sha256)
    assert len(digests) == 1


def test_a_read_layer_is_the_written_one(tmp_path: Path, program: Path) -> None:
    written = write_layer(tmp_path / "a.tar", {"p": program}, {})
    assert read_layer(tmp_path / "a.tar") == written
