"""Where this user's files live."""

import os
from pathlib import Path

import pytest

from bootstrap.adapters.directories import (
    Directories,
    ensure_install_id,
    find_directories,
    read_install_id,
)
from bootstrap.errors import StateError
from bootstrap.model.names import ClusterName

DEMO = ClusterName("demo")


def test_one_variable_names_one_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_HOME", str(tmp_path / "b"))
    found = find_directories()
    assert found == Directories(
        state=tmp_path / "b" / "state",
        cache=tmp_path / "b" / "cache",
        volumes=tmp_path / "b" / "data" / "volumes",
    )
    assert not (tmp_path / "b").exists()


def test_a_relative_tree_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOOTSTRAP_HOME", "here")
    assert find_directories().state == tmp_path / "here" / "state"


def test_without_it_the_users_own_directories_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BOOTSTRAP_HOME")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    for kind in ("STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    assert find_directories() == Directories(
        state=tmp_path / "STATE" / "bootstrap",
        cache=tmp_path / "CACHE" / "bootstrap",
        volumes=tmp_path / "DATA" / "bootstrap" / "volumes",
    )


def test_roots_volumes_are_outside_of_its_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """L-04: the system daemon opens them as another user."""
    monkeypatch.delenv("BOOTSTRAP_HOME")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    found = find_directories()
    assert found.volumes == Path("/var/lib/bootstrap/volumes")
    assert found.images == Path("/var/lib/bootstrap/images")


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_HOME", "")
    assert find_directories().state.is_relative_to(Path.home())


def test_a_clusters_lock_outlives_its_state() -> None:
    """R-06: what `down` removes must not hold the lock under which it works."""
    found = find_directories()
    assert not found.cluster_lock(DEMO).is_relative_to(found.cluster_state(DEMO))
    assert found.cluster_lock(DEMO) != found.host_lock


def test_no_cluster_can_be_named_like_our_own_files() -> None:
    found = find_directories()
    for path in (found.host_lock, found.cluster_lock(DEMO), found.state / "install-id"):
        name = path.relative_to(found.state).parts[0]
        if name != "install-id":
            with pytest.raises(ValueError, match="not a cluster name"):
                ClusterName(name)


def test_the_install_id_is_made_once() -> None:
    found = find_directories()
    assert read_install_id(found) is None
    made = ensure_install_id(found)
    assert made.version == 4
    assert ensure_install_id(found) == made
    assert read_install_id(found) == made
    assert found.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("text", ["", "x", "11111111-2222-4333-8444-555555555555x", "\x00"])
def test_a_damaged_install_id_is_kept_and_told(text: str) -> None:
    """R-15, exit 9: another one would disown every cluster."""
    found = find_directories()
    ensure_install_id(found)
    path = found.state / "install-id"
    path.write_text(text)
    with pytest.raises(StateError) as caught:
        ensure_install_id(found)
    assert str(path) in caught.value.message
    assert path.read_text() == text


def test_an_install_id_of_undecodable_bytes_is_damaged_too() -> None:
    found = find_directories()
    ensure_install_id(found)
    (found.state / "install-id").write_bytes(b"\xff\xfe")
    with pytest.raises(StateError):
        read_install_id(found)
