import base64
import itertools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bootstrap.adapters.trust.store import TrustStore
from bootstrap.errors import NotOursError, StateError
from bootstrap.model.names import ClusterName
from tests.killing import killed_at

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DEMO = ClusterName("demo")


def store(directory: Path, *, days: int = 0) -> TrustStore:
    return TrustStore(directory, clock=lambda: NOW + timedelta(days=days))


def fill(directory: Path) -> tuple[object, ...]:
    trust = store(directory)
    return (
        trust.ensure_authorities(),
        trust.ensure_user_certificate(DEMO),
        trust.ensure_client_key(),
        trust.ensure_host_key("worker"),
        trust.ensure_encryption_key(),
    )


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Iterator[Path]:
    before = os.umask(0)
    yield tmp_path / "demo"
    os.umask(before)


def test_everything_is_made_once_and_kept(directory: Path) -> None:
    assert fill(directory) == fill(directory)


def test_everything_is_private_whatever_the_umask_is(directory: Path) -> None:
    """G-26, H-15, SEC-26."""
    fill(directory)
    modes = {
        str(path.relative_to(directory)): path.stat().st_mode & 0o777
        for path in (directory, *directory.rglob("*"))
    }
    assert modes == {
        ".": 0o700,
        "bootstrap-cluster.json": 0o600,
        "pki": 0o700,
        "pki/authorities.json": 0o600,
        "pki/encryption-key": 0o600,
        "pki/user.json": 0o600,
        "ssh": 0o700,
        "ssh/client": 0o600,
        "ssh/host-worker": 0o600,
    }


def test_a_mode_that_was_loosened_is_tightened(directory: Path) -> None:
    """ssh refuses a key that others can read."""
    fill(directory)
    store(directory).client_key_file.chmod(0o644)
    store(directory).ensure_client_key()
    assert store(directory).client_key_file.stat().st_mode & 0o777 == 0o600


def test_each_node_has_a_key_of_its_own(directory: Path) -> None:
    trust = store(directory)
    keys = {trust.ensure_host_key(node).public_line for node in ("a", "b")}
    assert len(keys | {trust.ensure_client_key().public_line}) == 3


@pytest.mark.parametrize("node", ["../x", "a/b", "", ".."])
def test_a_node_that_is_a_path_is_refused(directory: Path, node: str) -> None:
    """H-01."""
    with pytest.raises(ValueError, match="not a node's name"):
        store(directory).ensure_host_key(node)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"ca.crt": 1}', '{"ca.crt": "x"}'])
def test_damaged_authorities_are_kept_and_named(directory: Path, damage: str) -> None:
    fill(directory)
    path = directory / "pki" / "authorities.json"
    path.write_text(damage)
    with pytest.raises(StateError, match=f"'{path}' is damaged") as caught:
        store(directory).ensure_authorities()
    assert caught.value.exit_code == 9
    assert path.read_text() == damage


def test_no_key_is_shown_when_authorities_are_damaged(directory: Path) -> None:
    """H-16."""
    fill(directory)
    path = directory / "pki" / "authorities.json"
    files = json.loads(path.read_text())
    files["ca.key"] = files["sa.key"]
    path.write_text(json.dumps(files))
    with pytest.raises(StateError) as caught:
        store(directory).ensure_authorities()
    assert "does not belong to the certificate CN=kubernetes" in caught.value.details
    assert "PRIVATE" not in caught.value.details


def test_a_damaged_ssh_key_is_kept_and_named(directory: Path) -> None:
    path = store(directory).client_key_file
    fill(directory)
    path.write_text("damaged")
    with pytest.raises(StateError, match="is damaged"):
        store(directory).ensure_client_key()
    assert path.read_text() == "damaged"


def test_the_encryption_key_is_32_bytes_and_each_cluster_has_its_own(tmp_path: Path) -> None:
    """SEC-36."""
    keys = {store(tmp_path / name).ensure_encryption_key() for name in ("a", "b")}
    assert len(keys) == 2
    assert {len(base64.b64decode(key, validate=True)) for key in keys} == {32}


@pytest.mark.parametrize("damage", ["", "c2VjcmV0 is broken", base64.b64encode(b"short").decode()])
def test_a_damaged_encryption_key_is_kept_and_named_but_not_shown(
    directory: Path, damage: str
) -> None:
    """SEC-36: with a new key no Secret in etcd could be read any more."""
    fill(directory)
    path = directory / "pki" / "encryption-key"
    path.write_text(damage)
    with pytest.raises(StateError, match="is damaged") as caught:
        store(directory).ensure_encryption_key()
    assert path.read_text() == damage
    assert not damage or damage not in caught.value.details


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}"])
def test_a_damaged_user_certificate_is_made_anew(directory: Path, damage: str) -> None:
    fill(directory)
    path = directory / "pki" / "user.json"
    path.write_text(damage)
    made = store(directory).ensure_user_certificate(DEMO)
    assert store(directory).ensure_user_certificate(DEMO) == made


def test_the_user_certificate_is_renewed_a_month_before_its_end(directory: Path) -> None:
    """G-22, D-04."""
    first = store(directory).ensure_user_certificate(DEMO)
    assert store(directory, days=334).ensure_user_certificate(DEMO) == first
    renewed = store(directory, days=336).ensure_user_certificate(DEMO)
    assert renewed != first
    assert store(directory, days=337).ensure_user_certificate(DEMO) == renewed


def test_new_authorities_bring_a_new_user_certificate(directory: Path) -> None:
    first = store(directory).ensure_user_certificate(DEMO)
    (directory / "pki" / "authorities.json").unlink()
    assert store(directory).ensure_user_certificate(DEMO) != first


def test_a_directory_that_is_a_link_is_refused(directory: Path, tmp_path: Path) -> None:
    """H-11."""
    directory.mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (directory / "pki").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotOursError):
        store(directory).ensure_authorities()


@pytest.mark.usefixtures("directory")
def test_a_kill_at_any_change_leaves_whole_sets_or_none(tmp_path: Path) -> None:
    for point in itertools.count(1):
        place = tmp_path / str(point)
        work = partial(store(place).ensure_user_certificate, DEMO)
        if not killed_at(point, work):
            break
        assert fill(place) == fill(place)
        assert not list(place.rglob(".bootstrap-*"))
    assert point > 20
