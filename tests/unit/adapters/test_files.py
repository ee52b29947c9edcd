"""Files that are whole or absent, and private whatever the umask is."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from bootstrap.adapters.files import private_directory, replacing, sweep, write_atomically
from bootstrap.errors import HostError, NotOursError


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    old = os.umask(request.param)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_files_are_private_under_any_umask(tmp_path: Path) -> None:
    """G-26, H-15, S-10."""
    directory = private_directory(tmp_path / "new")
    write_atomically(directory / "file", "x")
    assert mode(directory) == 0o700
    assert mode(directory / "file") == 0o600


def test_no_directory_above_is_open_to_others_either(tmp_path: Path) -> None:
    """H-13: who may write above may put another directory in its place."""
    old = os.umask(0)
    try:
        private_directory(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(old)
    assert [mode(tmp_path / part) for part in ("a", "a/b", "a/b/c")] == [0o755, 0o755, 0o700]


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    """The user may have opened it on purpose; only writing by others is refused."""
    (tmp_path / "shared").mkdir(mode=0o755)
    assert mode(private_directory(tmp_path / "shared")) == 0o755


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777])
def test_a_directory_that_others_may_write_is_refused(tmp_path: Path, bits: int) -> None:
    """H-13."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(bits)
    with pytest.raises(NotOursError) as caught:
        private_directory(tmp_path / "open")
    assert caught.value.hint == f"chmod go-w {tmp_path / 'open'}"


def test_a_link_is_refused(tmp_path: Path) -> None:
    """H-11, G-27."""
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(NotOursError, match="is a link"):
        private_directory(tmp_path / "link")


def test_another_users_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H-10, H-13, P-14."""
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(NotOursError, match="belongs to another user"):
        private_directory(tmp_path / "theirs")


def test_the_directory_of_who_called_sudo_is_refused_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-14: HOME was kept; what root made there would be in that user's way."""
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    monkeypatch.setenv("SUDO_UID", str(owner))
    with pytest.raises(HostError, match="who called sudo") as caught:
        private_directory(tmp_path)
    assert caught.value.exit_code == 3
    monkeypatch.setenv("SUDO_UID", str(owner + 2))
    with pytest.raises(NotOursError):
        private_directory(tmp_path)


def test_the_same_content_is_not_written_again(tmp_path: Path) -> None:
    """G-19."""
    path = tmp_path / "file"
    assert write_atomically(path, "ü")
    before = path.stat()
    assert not write_atomically(path, "ü".encode())
    assert path.stat().st_ino == before.st_ino
    assert write_atomically(path, "other")
    assert path.read_text() == "other"


def test_a_file_whose_mode_was_opened_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, "x")
    path.chmod(0o644)
    assert write_atomically(path, "x")
    assert mode(path) == 0o600


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    """H-11: no link makes us write into another file."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    write_atomically(tmp_path / "file", "x")
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "file").is_symlink()


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """R-13."""
    path = tmp_path / "file"
    write_atomically(path, "old")
    with pytest.raises(OSError, match="No space"):
        _write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def _write_half(path: Path) -> NoReturn:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_any_system_call_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """G-13."""

    def fail(*_: object) -> NoReturn:
        raise OSError(5, "Input/output error")

    path = tmp_path / "file"
    write_atomically(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(os if call == "fsync" else Path, call, fail)
        with pytest.raises(OSError, match="Input/output"):
            write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    """R-07."""
    path = tmp_path / "file"
    with replacing(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == tmp_path
    assert path.read_text() == "half"


def test_sweeping_removes_leftovers_of_killed_runs_and_nothing_else(tmp_path: Path) -> None:
    """M5."""
    (tmp_path / ".bootstrap-file.12ab_xyz").write_text("half")
    (tmp_path / "file").write_text("whole")
    (tmp_path / ".hidden").write_text("theirs")
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "file"]


def test_a_file_that_is_being_written_is_not_swept(tmp_path: Path) -> None:
    """M5: two processes may write one file without a lock, as with the memory of a probe."""
    with replacing(tmp_path / "file") as temporary:
        sweep(tmp_path)
        assert temporary.exists()
        write_atomically(tmp_path / "file", "the other's")
        temporary.write_text("ours")
    assert (tmp_path / "file").read_text() == "ours"


def test_a_write_of_what_is_there_removes_leftovers_too(tmp_path: Path) -> None:
    """M5: the rerun of a killed run often finds nothing to change."""
    write_atomically(tmp_path / "file", "same")
    (tmp_path / ".bootstrap-file.abcdefgh").write_text("half")

    assert not write_atomically(tmp_path / "file", "same")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_removes_leftovers_of_the_same_file_only(tmp_path: Path) -> None:
    """M5: a converged rerun leaves no temporary file behind."""
    (tmp_path / ".bootstrap-file.12ab_xyz").touch()
    (tmp_path / ".bootstrap-other.12ab_xyz").touch()
    write_atomically(tmp_path / "file", "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".bootstrap-other.12ab_xyz",
        "file",
    ]
