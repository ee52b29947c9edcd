"""The Trust port: the fake and keys that are really made and kept do the same."""

import re
import shutil
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.marker import MARKER
from bootstrap.adapters.trust.cluster import ClusterTrust
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.errors import StateError
from bootstrap.ports import Trust
from tests.fakes.trust import FakeTrust

AUTHORITIES = ("ca", "etcd/ca", "front-proxy-ca")
TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")


class Place(Protocol):
    """Where one cluster's keys are, fake or real."""

    def trust(self) -> Trust:
        """Return the adapter, as a new run of the tool sees the place."""

    def lose(self) -> None:
        """Lose all keys, as a removed state directory does."""

    def damage(self) -> None:
        """Make what is kept unreadable."""


class FakePlace:
    def __init__(self) -> None:
        self._trust = FakeTrust()

    def trust(self) -> Trust:
        return self._trust

    def lose(self) -> None:
        self._trust.lose()

    def damage(self) -> None:
        self._trust.is_damaged = True


class RealPlace:
    def __init__(self, directory: Path) -> None:
        self._directory = directory / "demo"

    def trust(self) -> Trust:
        return ClusterTrust(TrustStore(self._directory))

    def lose(self) -> None:
        shutil.rmtree(self._directory)

    def damage(self) -> None:
        for file in self._directory.rglob("*"):
            if file.is_file() and file.name != MARKER:
                file.write_text("damaged")


@pytest.fixture(params=["fake", "files"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace(tmp_path)


def everything(trust: Trust) -> tuple[object, ...]:
    keys = [trust.node_keys(node) for node in ("control-plane", "worker")]
    return dict(trust.certificates()), trust.authority_hash(), keys


def test_the_authorities_have_the_paths_that_kubeadm_expects(place: Place) -> None:
    wanted = {f"{name}.{kind}" for name in AUTHORITIES for kind in ("crt", "key")}
    assert set(place.trust().certificates()) == wanted | {"sa.key", "sa.pub"}


def test_every_file_has_content_of_its_own(place: Place) -> None:
    files = place.trust().certificates()
    assert all(files.values())
    assert len(set(files.values())) == len(files)


def test_keys_are_made_once_and_a_later_run_gets_the_same(place: Place) -> None:
    """Z-08: a rerun must not lock the user out of the running cluster."""
    first = everything(place.trust())
    assert everything(place.trust()) == first
    assert everything(place.trust()) == first


def test_keys_are_the_same_in_any_order_of_calls(place: Place) -> None:
    worker = place.trust().node_keys("worker")
    authority = place.trust().authority_hash()
    assert place.trust().node_keys("worker") == worker
    assert place.trust().authority_hash() == authority


def test_lost_keys_are_made_anew_and_are_others(place: Place) -> None:
    """What `up` compares must differ."""
    before, key = place.trust(), place.trust().node_keys("worker")
    old, files = before.authority_hash(), dict(before.certificates())
    place.lose()
    assert place.trust().authority_hash() != old
    assert place.trust().certificates()["ca.crt"] != files["ca.crt"]
    assert place.trust().node_keys("worker").authorized_key != key.authorized_key
    assert place.trust().node_keys("worker").host_private_key != key.host_private_key


def test_the_hash_is_as_kubeadm_writes_it(place: Place) -> None:
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", place.trust().authority_hash())


def test_each_node_has_its_own_host_key_and_all_let_the_same_client_in(place: Place) -> None:
    first, second = (place.trust().node_keys(f"worker{n}") for n in ("", "2"))
    assert first.host_private_key != second.host_private_key
    assert first.host_public_key != second.host_public_key
    assert first.authorized_key == second.authorized_key
    assert first.authorized_key not in (first.host_public_key, second.host_public_key)


def test_keys_are_in_the_formats_that_sshd_reads(place: Place) -> None:
    keys = place.trust().node_keys("worker")
    assert keys.host_private_key.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert keys.host_private_key.endswith("\n")
    for line in (keys.host_public_key, keys.authorized_key):
        assert re.fullmatch(r"ssh-ed25519 AAAA\S+( \S+)?", line)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a/b", "-oProxyCommand=x", "a\nb"])
def test_a_name_that_is_no_nodes_gets_no_key(place: Place, name: str) -> None:
    with pytest.raises(ValueError, match="is not a node's name"):
        place.trust().node_keys(name)


def test_join_tokens_are_as_kubeadm_wants_them_and_never_the_same(place: Place) -> None:
    tokens = [place.trust().new_join_token() for _ in range(20)]
    assert all(TOKEN.fullmatch(token) for token in tokens)
    # The half before the dot names the Secret; two of one name would be one token.
    assert len({token.partition(".")[0] for token in tokens}) == 20
    assert len({token.partition(".")[2] for token in tokens}) == 20


def test_what_is_damaged_is_an_error_and_never_made_anew(place: Place) -> None:
    """New authorities would lock the user out."""
    everything(place.trust())
    place.damage()
    trust = place.trust()
    for ask in (trust.certificates, trust.authority_hash, lambda: trust.node_keys("worker")):
        with pytest.raises(StateError) as caught:
            ask()
        assert caught.value.exit_code == 9
        assert caught.value.hint == "bootstrap down demo"
    assert trust.new_join_token()


def test_a_node_that_is_gone_has_no_key_any_more(place: Place) -> None:
    """A node of the same name gets another; those of the others stay."""
    before, other = place.trust().node_keys("worker"), place.trust().node_keys("worker2")
    assert place.trust().remove_node_keys("worker")
    assert not place.trust().remove_node_keys("worker")
    assert not place.trust().remove_node_keys("worker3")
    after = place.trust().node_keys("worker")
    assert after.host_private_key != before.host_private_key
    assert after.authorized_key == before.authorized_key
    assert place.trust().node_keys("worker2") == other
    with pytest.raises(ValueError, match="is not a node's name"):
        place.trust().remove_node_keys("../pki")


NODES = ("control-plane", "worker")


def test_saved_keys_come_back_in_the_place_of_others(place: Place) -> None:
    before = everything(place.trust())
    saved = place.trust().saved(NODES)
    place.lose()
    assert everything(place.trust()) != before
    assert place.trust().restore(saved, with_ssh=True)
    assert everything(place.trust()) == before
    assert not place.trust().restore(saved, with_ssh=True)


def test_a_clone_keeps_ssh_keys_of_its_own(place: Place) -> None:
    before = everything(place.trust())
    saved = place.trust().saved(NODES)
    place.lose()
    own = place.trust().node_keys("worker")
    assert place.trust().restore(saved, with_ssh=False)
    assert everything(place.trust())[:2] == before[:2]
    if not isinstance(place, FakePlace):
        assert place.trust().node_keys("worker") == own


@pytest.mark.parametrize("files", [{}, {"ssh/client": "x"}, {"../x": "y"}])
def test_what_was_not_saved_is_not_restored(place: Place, files: dict[str, str]) -> None:
    before = everything(place.trust())
    with pytest.raises(StateError):
        place.trust().restore(files, with_ssh=True)
    assert everything(place.trust()) == before


@pytest.mark.parametrize("name", ["../../etc/passwd", "ssh/host-../x", "pki/user.json", "ssh/x"])
def test_a_file_that_is_no_key_of_a_cluster_is_refused(tmp_path: Path, name: str) -> None:
    """SEC-17: a snapshot may come from elsewhere."""
    trust = RealPlace(tmp_path).trust()
    saved = dict(trust.saved(NODES))
    with pytest.raises(StateError):
        trust.restore({**saved, name: saved["ssh/client"]}, with_ssh=True)
    assert dict(trust.saved(NODES)) == saved
