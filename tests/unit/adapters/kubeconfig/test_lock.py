import os
from pathlib import Path

import pytest

from bootstrap.adapters.kubeconfig import lock as locking
from bootstrap.adapters.kubeconfig.lock import kubectl_lock
from bootstrap.errors import BootstrapError, LockedError
from bootstrap.waiting import wait_for


def test_the_lock_is_a_file_beside_it_while_the_block_runs(tmp_path: Path) -> None:
    """SEC-32."""
    lock = tmp_path / "config.lock"
    with kubectl_lock(tmp_path / "config", patience_s=0):
        assert lock.read_text() == f"bootstrap {os.getpid()}\n"
        assert lock.stat().st_mode & 0o777 == 0o600
    assert not lock.exists()


def test_a_foreign_lock_is_named_with_its_age_and_left(tmp_path: Path) -> None:
    """R-02, R-03, Z-07."""
    lock = tmp_path / "config.lock"
    lock.touch(mode=0)
    os.utime(lock, (1, 1))
    with (
        pytest.raises(LockedError, match="it is locked") as caught,
        kubectl_lock(tmp_path / "config", patience_s=0),
    ):
        pass
    assert f"'{lock}' is " in caught.value.details
    assert " s old, made by uid" in caught.value.details
    assert "not by this tool" in caught.value.details
    assert caught.value.hint.endswith(f"rm -f {lock}")
    assert caught.value.exit_code == 4
    assert lock.exists()


def test_holders_that_take_turns_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-02: many short holders together may take longer than a caller is patient with one."""
    lock, turns = tmp_path / "config.lock", [3, 2, 1]
    lock.touch()

    def wait_while_the_holder_changes(*arguments: object, **options: object) -> object:
        if turns:
            os.utime(lock, (1, turns.pop()))
        else:
            lock.unlink()
        return wait_for(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(locking, "wait_for", wait_while_the_holder_changes)
    with kubectl_lock(tmp_path / "config", patience_s=0):
        assert not turns
    assert not lock.exists()


def test_a_link_to_nothing_in_the_place_of_a_lock_is_a_lock(tmp_path: Path) -> None:
    lock = tmp_path / "config.lock"
    lock.symlink_to("nothing")
    with (
        pytest.raises(LockedError) as caught,
        kubectl_lock(tmp_path / "config", patience_s=0),
    ):
        pass
    assert " s old, made by uid" in caught.value.details
    assert lock.is_symlink()


def test_a_lock_that_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """R-03: the flock ended with its process, although another process has that pid now."""
    lock = tmp_path / "config.lock"
    lock.write_text(f"bootstrap {os.getpid()}\n")
    with kubectl_lock(tmp_path / "config", patience_s=0):
        assert lock.exists()
    assert not list(tmp_path.iterdir())


def test_a_lock_of_ours_that_is_held_is_left_and_its_maker_named(tmp_path: Path) -> None:
    """R-03, SEC-32."""
    with (
        kubectl_lock(tmp_path / "config", patience_s=0),
        pytest.raises(LockedError) as caught,
        kubectl_lock(tmp_path / "config", patience_s=0),
    ):
        pass
    assert f"by pid {os.getpid()}, which still runs" in caught.value.details


def test_a_lock_that_holds_a_pid_but_is_not_ours_is_left(tmp_path: Path) -> None:
    (tmp_path / "config.lock").write_text(f"{2**22 + 1}\n")
    with pytest.raises(LockedError), kubectl_lock(tmp_path / "config", patience_s=0):
        pass
    assert (tmp_path / "config.lock").exists()


def test_a_lock_that_took_the_place_of_ours_is_left(tmp_path: Path) -> None:
    lock = tmp_path / "config.lock"
    with kubectl_lock(tmp_path / "config", patience_s=0):
        lock.unlink()
        lock.write_text("kubectl's")
    assert lock.read_text() == "kubectl's"


def test_a_linked_file_is_locked_under_both_names(tmp_path: Path) -> None:
    """H-12."""
    link = tmp_path / "config"
    link.symlink_to("dotfile")
    with kubectl_lock(link, patience_s=0):
        assert (tmp_path / "config.lock").exists()
        assert (tmp_path / "dotfile.lock").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_a_second_lock_that_fails_gives_the_first_one_back(tmp_path: Path) -> None:
    link = tmp_path / "a"
    link.symlink_to("z")
    (tmp_path / "z.lock").touch()
    with pytest.raises(LockedError), kubectl_lock(link, patience_s=0):
        pass
    assert not (tmp_path / "a.lock").exists()


def test_a_directory_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with (
        pytest.raises(BootstrapError, match="Could not lock"),
        kubectl_lock(tmp_path / "none" / "config", patience_s=30),
    ):
        pass
