"""The ClusterApi port: the fake does what the real client and an API server on loopback do.

What only the real one can show is in ``test_cluster_api.py``.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.errors import BootstrapError, TimedOutError, VerifyError
from bootstrap.ports import ClusterApi, ExpectedNode
from bootstrap.waiting import NotYet
from tests.fakes.api_server import FakeApiServer, FakeNode, Illness
from tests.fakes.cluster_api import FakeClusterApi

CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
TOKEN, OTHER = "abcdef.0123456789abcdef", "fedcba.0123456789abcdef"
CONTROL_PLANE, WORKER = "demo-control-plane", "demo-worker"
ADDRESSES = {CONTROL_PLANE: "10.10.0.10", WORKER: "10.10.0.11", "demo-worker2": "10.10.0.12"}
EXPECTED = [ExpectedNode(name=name, address=ADDRESSES[name]) for name in (CONTROL_PLANE, WORKER)]

Ask = Callable[[ClusterApi, Path], object]
#: All that only reads, and so says "not yet" while nobody answers.
ASKS: dict[str, Ask] = {
    "joined_nodes": lambda api, path: api.joined_nodes(path),
    "version": lambda api, path: api.version(path),
    "certificate_expiry": lambda api, path: api.certificate_expiry(path),
    "remove_join_token": lambda api, path: api.remove_join_token(path, TOKEN),
}
EVERYTHING: dict[str, Ask] = {
    **ASKS,
    "create_join_token": lambda api, path: api.create_join_token(path, TOKEN, lifetime_s=60),
    "verify": lambda api, path: api.verify(path, EXPECTED, patience=1),
}
each_ask = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)


class Place(Protocol):
    """A cluster of two nodes that is well, fake or real."""

    api: ClusterApi
    kubeconfig: Path

    def go_down(self) -> None:
        """Answer nobody any more."""

    def refuse(self) -> None:
        """Accept the user's credentials no more."""

    def join(self, name: str, *, is_ready: bool = True) -> None:
        """Have the node registered."""

    def leave(self, name: str) -> None:
        """Have the node registered no more."""

    def break_dns(self) -> None:
        """Have no CoreDNS."""

    def spoil_kubeconfig(self) -> None:
        """Have the kubeconfig name a program to run."""

    def token_ids(self) -> set[str]:
        """Give the public halves of the tokens that let a node join."""


class FakePlace:
    def __init__(self) -> None:
        self._fake = FakeClusterApi()
        self._fake.is_up = True
        self._fake.nodes = dict.fromkeys((CONTROL_PLANE, WORKER), "Ready")
        self.api: ClusterApi = self._fake
        self.kubeconfig = Path("/state/demo/kubeconfig")

    def go_down(self) -> None:
        self._fake.is_up = False

    def refuse(self) -> None:
        self._fake.is_refusing = True

    def join(self, name: str, *, is_ready: bool = True) -> None:
        self._fake.nodes[name] = "Ready" if is_ready else "NotReady (told so)"

    def leave(self, name: str) -> None:
        del self._fake.nodes[name]

    def break_dns(self) -> None:
        self._fake.sick_checks.add("dns")

    def spoil_kubeconfig(self) -> None:
        self._fake.spoilt.add(self.kubeconfig)

    def token_ids(self) -> set[str]:
        return {token.partition(".")[0] for token in self._fake.tokens}


class RealPlace:
    def __init__(self, server: FakeApiServer, directory: Path) -> None:
        self._server, self._directory = server, directory
        self.kubeconfig = server.kubeconfig(directory)
        self.api: ClusterApi = KubernetesClusterApi(
            clock=server.clock, sleep=server.clock.sleep, now=server.clock.utc, call_timeout_s=5
        )

    def go_down(self) -> None:
        self._server.ill = Illness(lives_for=0)
        # The certificate is read by a handshake alone, which only a closed port refuses.
        self._closed = FakeApiServer()
        self._closed.ca = self._server.ca
        with self._closed.running():
            pass
        self.kubeconfig = self._closed.kubeconfig(self._directory)

    def refuse(self) -> None:
        self._server.ill = Illness(status=401)

    def join(self, name: str, *, is_ready: bool = True) -> None:
        self.leave(name)
        node = FakeNode(name=name, address=ADDRESSES[name], ready=lambda _at: is_ready)
        self._server.nodes.append(node)

    def leave(self, name: str) -> None:
        self._server.nodes = [node for node in self._server.nodes if node.name != name]

    def break_dns(self) -> None:
        self._server.ill = Illness(coredns_exists=False)

    def spoil_kubeconfig(self) -> None:
        user = {"exec": {"command": "touch", "args": [str(self._directory / "ran")]}}
        self.kubeconfig = self._server.kubeconfig(self._directory, user=user)

    def token_ids(self) -> set[str]:
        return {name.removeprefix("bootstrap-token-") for name in self._server.secrets}


@pytest.fixture(params=["fake", "loopback"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "fake":
        yield FakePlace()
        return
    with FakeApiServer().running() as server:
        yield RealPlace(server, tmp_path)


def verdicts(place: Place, nodes: list[ExpectedNode] | None = None) -> dict[str, bool]:
    checks = place.api.verify(place.kubeconfig, nodes or EXPECTED, patience=1)
    assert all(check.evidence for check in checks)
    return {check.name: check.ok for check in checks}


def test_a_healthy_cluster_passes_every_check_in_their_order(place: Place) -> None:
    assert list(verdicts(place).items()) == [(name, True) for name in CHECKS]


def test_verifying_twice_gives_the_same(place: Place) -> None:
    assert verdicts(place) == verdicts(place)


def test_nothing_is_well_where_nobody_answers(place: Place) -> None:
    """K-01: an error would hide the evidence of the other checks."""
    place.go_down()
    assert verdicts(place) == dict.fromkeys(CHECKS, False)


def test_a_cluster_without_one_of_its_nodes_is_not_well(place: Place) -> None:
    place.leave(WORKER)
    found = verdicts(place)
    assert (found["api"], found["nodes"], found["dns"]) == (True, False, True)


def test_a_node_that_is_not_ready_is_not_well(place: Place) -> None:
    place.join(WORKER, is_ready=False)
    found = verdicts(place)
    assert (found["api"], found["nodes"], found["dns"]) == (True, False, True)


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_node_more_than_planned_must_be_ready_too(place: Place, *, is_ready: bool) -> None:
    place.join("demo-worker2", is_ready=is_ready)
    assert verdicts(place)["nodes"] is is_ready


def test_a_cluster_without_dns_is_not_well(place: Place) -> None:
    place.break_dns()
    found = verdicts(place)
    assert (found["api"], found["nodes"], found["dns"]) == (True, True, False)


def test_joined_nodes_are_those_that_are_registered_with_ready_or_why_not(place: Place) -> None:
    place.join("demo-worker2", is_ready=False)
    joined = dict(place.api.joined_nodes(place.kubeconfig))
    assert joined.pop("demo-worker2").startswith("NotReady")
    assert joined == {CONTROL_PLANE: "Ready", WORKER: "Ready"}
    place.leave(WORKER)
    assert set(place.api.joined_nodes(place.kubeconfig)) == {CONTROL_PLANE, "demo-worker2"}


def test_a_token_lets_nodes_join_until_it_is_removed(place: Place) -> None:
    place.api.create_join_token(place.kubeconfig, TOKEN, lifetime_s=3600)
    place.api.create_join_token(place.kubeconfig, OTHER, lifetime_s=3600)
    assert place.token_ids() == {"abcdef", "fedcba"}
    place.api.remove_join_token(place.kubeconfig, TOKEN)
    assert place.token_ids() == {"fedcba"}


def test_creating_and_removing_a_token_may_be_repeated(place: Place) -> None:
    place.api.remove_join_token(place.kubeconfig, TOKEN)
    for _ in range(2):
        place.api.create_join_token(place.kubeconfig, TOKEN, lifetime_s=3600)
    assert place.token_ids() == {"abcdef"}
    for _ in range(2):
        place.api.remove_join_token(place.kubeconfig, TOKEN)
    assert place.token_ids() == set()


@pytest.mark.parametrize("token", ["", "abcdef", "ABCDEF.0123456789abcdef", f"{TOKEN}0", "a.b"])
def test_what_is_no_token_is_refused_and_not_shown(place: Place, token: str) -> None:
    with pytest.raises(BootstrapError) as caught:
        place.api.create_join_token(place.kubeconfig, token, lifetime_s=3600)
    error = caught.value
    assert len(token) < 4 or token not in error.message + error.details + error.hint
    assert place.token_ids() == set()


def test_a_token_waits_five_minutes_for_an_api_server_that_does_not_answer(place: Place) -> None:
    place.go_down()
    with pytest.raises(TimedOutError) as caught:
        place.api.create_join_token(place.kubeconfig, TOKEN, lifetime_s=3600)
    error = caught.value
    assert error.exit_code == 5
    assert error.message.startswith("Timed out after 300 s")
    assert error.details.startswith("Last seen: ")
    assert error.hint.startswith("kubectl --kubeconfig ")
    assert TOKEN not in error.message + error.details + error.hint


@each_ask
def test_while_nobody_answers_it_is_not_yet_known(place: Place, ask: Ask) -> None:
    place.go_down()
    with pytest.raises(NotYet, match=r"\S"):
        ask(place.api, place.kubeconfig)


@pytest.mark.parametrize("name", ["joined_nodes", "version", "create_join_token"])
def test_credentials_that_are_refused_are_an_error_at_once(place: Place, name: str) -> None:
    place.refuse()
    with pytest.raises(BootstrapError) as caught:
        EVERYTHING[name](place.api, place.kubeconfig)
    assert not isinstance(caught.value, TimedOutError)
    assert caught.value.exit_code == 6
    assert "401" in caught.value.details
    assert caught.value.hint.startswith("kubectl --kubeconfig ")


def test_verification_of_refused_credentials_raises_nothing_and_says_so(place: Place) -> None:
    place.refuse()
    checks = place.api.verify(place.kubeconfig, EXPECTED, patience=1)
    assert not any(check.ok for check in checks)
    assert "401" in checks[0].evidence


@pytest.mark.parametrize("ask", EVERYTHING.values(), ids=EVERYTHING)
def test_a_kubeconfig_that_would_run_a_program_is_refused(
    place: Place, ask: Ask, tmp_path: Path
) -> None:
    """V-06, SEC-31."""
    place.spoil_kubeconfig()
    with pytest.raises(VerifyError) as caught:
        ask(place.api, place.kubeconfig)
    assert caught.value.exit_code == 8
    assert "user.exec" in caught.value.details
    assert caught.value.hint.startswith("kubectl --kubeconfig ")
    assert not (tmp_path / "ran").exists()


def test_the_version_is_kubernetes_own(place: Place) -> None:
    assert place.api.version(place.kubeconfig) == "v1.37.2"


def test_the_dates_of_both_certificates_say_their_zone(place: Place) -> None:
    expiry = place.api.certificate_expiry(place.kubeconfig)
    for end in (expiry.client, expiry.server):
        assert end.tzinfo is UTC
        assert end.utcoffset() == timedelta(0)
