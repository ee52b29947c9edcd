import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.adapters.kubeconfig import merge_into_user, remove_from_user
from bootstrap.errors import BootstrapError, LockedError, NotOursError, StateError
from bootstrap.model.kubeconfig import build_kubeconfig
from bootstrap.model.names import ClusterName

DEMO = ClusterName("demo")
INSTALL = uuid.UUID(int=1)
FOREIGN = "# mine\nkind: Config\nclusters:\n- name: prod\n  cluster: {}\ncurrent-context: prod\n"


def merge(
    environ: Mapping[str, str],
    cluster: ClusterName = DEMO,
    *,
    use: bool = False,
    patience_s: float = 0,
) -> Path:
    document = build_kubeconfig(cluster, "https://127.0.0.1:6443", "ca", "crt", "key")
    return merge_into_user(
        document, use=use, install_id=INSTALL, environ=environ, patience_s=patience_s
    )


def remove(environ: Mapping[str, str], cluster: ClusterName = DEMO) -> list[str]:
    return remove_from_user(cluster, INSTALL, environ, patience_s=0)


def content(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def names(path: Path) -> list[str]:
    return [entry["name"] for entry in content(path).get("clusters") or []]


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / ".kube" / "config"
    path.parent.mkdir()
    path.write_text(FOREIGN)
    return path


def test_a_first_kubeconfig_is_private_whatever_the_umask_is(
    tmp_path: Path, home: dict[str, str]
) -> None:
    """G-26."""
    before = os.umask(0)
    try:
        path = merge(home | {"KUBECONFIG": str(tmp_path / "a" / "b" / "config")})
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (path, path.parent, path.parent.parent)}
    assert modes == {"config": 0o600, "b": 0o700, "a": 0o700}
    assert content(path)["current-context"] == "bootstrap-demo"


def test_merging_and_removing_gives_back_every_byte(home: dict[str, str], config: Path) -> None:
    """G-12, H-20."""
    config.write_text(FOREIGN + "users: []\ncontexts: []\n")
    before = config.read_bytes()
    merge(home)
    assert names(config) == ["prod", "bootstrap-demo"]
    assert remove(home) == []
    assert config.read_bytes() == before
    assert [path.name for path in config.parent.iterdir()] == ["config"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_that_got_our_key_is_the_users_alone(
    home: dict[str, str], config: Path, mode: int
) -> None:
    """H-15: and stays so when the key is gone, since who it was for is not ours to say."""
    config.chmod(mode)
    merge(home)
    assert config.stat().st_mode & 0o777 == mode & 0o700
    config.chmod(0o640)
    remove(home)
    assert config.stat().st_mode & 0o777 == 0o640


def test_a_link_is_kept_and_its_target_replaced(
    tmp_path: Path, home: dict[str, str], config: Path
) -> None:
    """H-12."""
    target = config.rename(tmp_path / "dotfile")
    config.symlink_to("../dotfile")
    inode = target.stat().st_ino
    merge(home)
    assert config.is_symlink()
    assert names(target) == ["prod", "bootstrap-demo"]
    assert target.stat().st_ino != inode
    assert [path.name for path in config.parent.iterdir()] == ["config"]


def test_a_link_to_nothing_gets_its_target(
    tmp_path: Path, home: dict[str, str], config: Path
) -> None:
    config.unlink()
    config.symlink_to("../dotfile")
    merge(home)
    assert names(tmp_path / "dotfile") == ["bootstrap-demo"]


def test_a_link_to_itself_is_refused(home: dict[str, str], config: Path) -> None:
    config.unlink()
    config.symlink_to("config")
    with pytest.raises(StateError):
        merge(home)


def test_nothing_is_written_if_nothing_changes(home: dict[str, str], config: Path) -> None:
    merge(home)
    inode = config.stat().st_ino
    merge(home)
    assert config.stat().st_ino == inode
    remove(home)
    inode = config.stat().st_ino
    assert remove(home) == []
    assert config.stat().st_ino == inode


@pytest.mark.parametrize("clusters", [["demo"], ["demo", "other"], ["other", "demo"]])
def test_a_file_that_we_made_goes_with_its_last_entry(
    tmp_path: Path, home: dict[str, str], clusters: list[str]
) -> None:
    """G-01: the file is removed when it has no other content."""
    merge(home, ClusterName("demo"))
    path = merge(home, ClusterName("other"))
    for name in clusters:
        assert path.exists()
        remove(home, ClusterName(name))
    assert path.exists() == ("other" not in clusters)
    remove(home, ClusterName("other"))
    assert list((tmp_path / ".kube").iterdir()) == []
    assert merge(home) == path


@pytest.mark.parametrize("text", ["", "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\n"])
def test_an_empty_file_that_was_there_before_stays(
    home: dict[str, str], config: Path, text: str
) -> None:
    config.write_text(text)
    merge(home)
    remove(home)
    assert names(config) == []


@pytest.mark.parametrize(
    "addition",
    [
        {"contexts": [{"name": "mine", "context": {"cluster": "x", "user": "y"}}]},
        {"clusters": [{"name": "mine", "cluster": {"server": "https://192.0.2.1"}}]},
        {"users": [{"name": "mine", "user": {"token": "x"}}]},
        {"extensions": [{"name": "mine", "extension": {"a": "b"}}]},
        {"preferences": {"colors": True}},
        {"current-context": "mine"},
    ],
    ids=lambda addition: next(iter(addition)),
)
def test_a_file_that_we_made_stays_with_what_another_put_in(
    home: dict[str, str], addition: dict[str, Any]
) -> None:
    """H-17: and no mark of ours stays with it."""
    path = merge(home)
    document = content(path)
    for key, value in addition.items():
        document[key] = [*document.get(key, []), *value] if isinstance(value, list) else value
    path.write_text(yaml.safe_dump(document))
    assert remove(home) == []
    left = content(path)
    assert {key: left[key] for key in addition} == addition
    assert "bootstrap" not in path.read_text()


def test_a_file_that_we_made_stays_with_a_comment_of_its_user(home: dict[str, str]) -> None:
    """H-20."""
    path = merge(home)
    path.write_text("# mine\n" + path.read_text())
    remove(home)
    assert path.read_text().startswith("# mine\n")


def test_a_file_that_we_made_stays_with_an_entry_that_its_user_changed(
    home: dict[str, str],
) -> None:
    """H-19."""
    path = merge(home)
    path.write_text(path.read_text().replace("127.0.0.1:6443", "192.0.2.1:6443"))
    assert remove(home) == [f"cluster 'bootstrap-demo' in '{path}'"]
    assert names(path) == ["bootstrap-demo"]


def test_a_file_that_we_made_behind_a_link_is_emptied(tmp_path: Path, home: dict[str, str]) -> None:
    """H-12: a user who manages links wants their targets."""
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").symlink_to("../dotfile")
    merge(home)
    remove(home)
    assert (tmp_path / ".kube" / "config").is_symlink()
    assert names(tmp_path / "dotfile") == []


def test_a_file_that_we_made_goes_when_others_have_taken_our_entries_out(
    home: dict[str, str],
) -> None:
    path = merge(home)
    empty: dict[str, Any] = {"clusters": None, "contexts": [], "users": [], "current-context": ""}
    path.write_text(yaml.safe_dump(content(path) | empty | {"preferences": {}}))
    remove(home)
    assert not path.exists()


def test_removing_where_nothing_is_ours_touches_nothing(
    tmp_path: Path, home: dict[str, str]
) -> None:
    assert remove(home | {"KUBECONFIG": str(tmp_path / "none")}) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["[", "kind: Pod", "\x00"])
def test_a_damaged_file_is_kept(home: dict[str, str], config: Path, text: str) -> None:
    config.write_text(text)
    with pytest.raises(StateError):
        merge(home)
    assert config.read_text() == text
    assert [path.name for path in config.parent.iterdir()] == ["config"]
    assert remove(home) == []


def test_an_entry_that_is_not_ours_is_kept(home: dict[str, str], config: Path) -> None:
    """H-17."""
    config.write_text("clusters:\n- name: bootstrap-demo\n  cluster: {}\n")
    before = config.read_bytes()
    with pytest.raises(NotOursError):
        merge(home)
    assert remove(home) == []
    assert config.read_bytes() == before
    assert [path.name for path in config.parent.iterdir()] == ["config"]


def test_an_entry_that_the_user_changed_is_named_with_its_file(
    home: dict[str, str], config: Path
) -> None:
    """H-19."""
    merge(home)
    config.write_text(config.read_text().replace("127.0.0.1:6443", "192.0.2.1:6443"))
    assert remove(home) == [f"cluster 'bootstrap-demo' in '{config}'"]
    assert names(config) == ["prod", "bootstrap-demo"]
    assert content(config)["users"] == []


def test_the_lock_of_another_process_is_waited_for_and_named(
    home: dict[str, str], config: Path
) -> None:
    """R-02, Z-07."""
    merge(home)
    before = config.read_bytes()
    lock = config.with_name("config.lock")
    lock.touch()
    with pytest.raises(LockedError, match="it is locked"):
        merge(home, use=True)
    with pytest.raises(LockedError):
        remove(home)
    assert config.read_bytes() == before
    lock.unlink()
    assert remove(home) == []


def test_only_the_first_file_that_exists_is_written(tmp_path: Path, home: dict[str, str]) -> None:
    """R-17, and H-18: the other file's current context counts."""
    a, b, c = (tmp_path / name for name in "abc")
    for path in (b, c):
        path.write_text(FOREIGN)
    c.chmod(0o400)
    merge(home | {"KUBECONFIG": f"{a}:{b}:{c}"})
    assert names(b) == ["prod", "bootstrap-demo"]
    assert (a.exists(), c.read_text()) == (False, FOREIGN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_a_current_context_in_a_later_file_is_not_shadowed(
    tmp_path: Path, home: dict[str, str]
) -> None:
    """H-18."""
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("kind: Config\n")
    b.write_text(FOREIGN)
    merge(home | {"KUBECONFIG": f"{a}:{b}"})
    assert "current-context" not in content(a)


def test_a_name_in_a_later_file_is_not_shadowed(tmp_path: Path, home: dict[str, str]) -> None:
    """H-17."""
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("kind: Config\n")
    b.write_text("users:\n- name: bootstrap-demo\n  user: {}\n")
    with pytest.raises(NotOursError):
        merge(home | {"KUBECONFIG": f"{a}:{b}"})


def test_removing_looks_into_every_file(tmp_path: Path, home: dict[str, str], config: Path) -> None:
    """Entries stay findable when KUBECONFIG is another one than it was."""
    a = tmp_path / "a"
    merge(home | {"KUBECONFIG": str(a)})
    merge(home)
    broken = tmp_path / "broken"
    broken.write_text("[")
    assert remove(home | {"KUBECONFIG": f"{broken}:{a}"}) == []
    assert (a.exists(), names(config)) == (False, ["prod"])


def test_our_context_stays_while_another_file_points_at_it(
    tmp_path: Path, home: dict[str, str]
) -> None:
    """Once it is gone, no rerun could tell whose the name was."""
    a, b = tmp_path / "a", tmp_path / "b"
    merge(home | {"KUBECONFIG": str(a)})
    a.write_text(a.read_text().replace("current-context: bootstrap-demo", ""))
    b.write_text("current-context: bootstrap-demo\n")
    (tmp_path / "b.lock").touch()
    environ = home | {"KUBECONFIG": f"{a}:{b}"}
    with pytest.raises(LockedError):
        remove(environ)
    assert names(a) == ["bootstrap-demo"]
    (tmp_path / "b.lock").unlink()
    assert remove(environ) == []
    assert (content(b)["current-context"], a.exists()) == ("", False)


def test_a_file_that_fails_does_not_keep_the_others(tmp_path: Path, home: dict[str, str]) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    merge(home | {"KUBECONFIG": str(b)})
    a.write_text("[bootstrap-demo")
    with pytest.raises(StateError, match=str(a)):
        remove(home | {"KUBECONFIG": f"{a}:{b}"})
    assert not b.exists()


def test_what_a_killed_run_left_is_swept_and_nothing_else(
    home: dict[str, str], config: Path
) -> None:
    leftover = config.with_name(".bootstrap-config.abcd1234")
    notes = config.with_name(".bootstrap-notes")
    leftover.touch()
    notes.touch()
    merge(home)
    assert (leftover.exists(), notes.exists()) == (False, True)


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path: Path, home: dict[str, str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BootstrapError):
        merge(home | {"KUBECONFIG": str(tmp_path / "file" / "config")})


def test_the_owner_of_a_file_is_kept(home: dict[str, str], config: Path) -> None:
    try:
        os.chown(config, 1234, 1234)
    except PermissionError:
        pytest.skip("this user cannot make a file of another user")
    merge(home)
    assert (config.stat().st_uid, config.stat().st_gid) == (1234, 1234)


def test_a_read_only_file_is_kept(home: dict[str, str], config: Path) -> None:
    """R-17."""
    config.chmod(0o400)
    if os.access(config, os.W_OK):
        pytest.skip("this user may write into any file")
    with pytest.raises(BootstrapError, match="read-only"):
        merge(home)
    assert config.read_text() == FOREIGN
