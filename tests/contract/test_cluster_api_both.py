"""The ClusterApi port: the fake does what the real client and an API server on loopback do.

What only the real one can show is in ``test_cluster_api.py``.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Protocol

import pytest

from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.errors import BootstrapError, TimedOutError, VerifyError
from bootstrap.ports import ClusterApi, ExpectedNode
from bootstrap.waiting import NotYet
from tests.fakes.api_server import KUBELET, FakeApiServer, FakeNode, Illness
from tests.fakes.cluster_api import FakeClusterApi, FakePod

CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
TOKEN, OTHER = "abcdef.0123456789abcdef", "fedcba.0123456789abcdef"
CONTROL_PLANE, WORKER = "demo-control-plane", "demo-worker"
ADDRESSES = {CONTROL_PLANE: "10.10.0.10", WORKER: "10.10.0.11", "demo-worker2": "10.10.0.12"}
EXPECTED = [
    ExpectedNode(name=name, address=ADDRESSES[name], kubelet_version=KUBELET)
    for name in (CONTROL_PLANE, WORKER)
]

#: Pods that an eviction does not move: of a DaemonSet, static, and two that have ended.
STAYING = ("agent", "static", "done", "broken")

Ask = Callable[[ClusterApi, Path], object]
#: Calls that raise NotYet while the API server does not answer.
ASKS: dict[str, Ask] = {
    "joined_nodes": lambda api, path: api.joined_nodes(path),
    "list_pods": lambda api, path: api.list_pods(path),
    "use_of_nodes": lambda api, path: api.use_of_nodes(path, [WORKER]),
    "check_ready": lambda api, path: api.check_ready(path),
    "objects": lambda api, path: api.objects(path, "nodes.v1", patience=1),
    "remove_join_token": lambda api, path: api.remove_join_token(path, TOKEN),
    "cordon": lambda api, path: api.cordon(path, WORKER),
    "uncordon": lambda api, path: api.uncordon(path, [WORKER]),
    "evict_pods": lambda api, path: api.evict_pods(path, WORKER),
    "remove_node": lambda api, path: api.remove_node(path, WORKER),
}
EVERYTHING: dict[str, Ask] = {
    **ASKS,
    "certificate_expiry": lambda api, path: api.certificate_expiry(path),
    "create_join_token": lambda api, path: api.create_join_token(path, TOKEN, lifetime_s=60),
    "verify": lambda api, path: api.verify(path, EXPECTED, patience=1),
}
each_ask = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)


class Place(Protocol):
    """A healthy cluster of two nodes, fake or real."""

    api: ClusterApi
    kubeconfig: Path

    def go_down(self) -> None:
        """Stop answering."""

    def refuse(self) -> None:
        """Refuse the user's credentials from now on."""

    def join(self, name: str, *, is_ready: bool = True) -> None:
        """Register the node."""

    def leave(self, name: str) -> None:
        """Remove the node."""

    def break_dns(self) -> None:
        """Remove CoreDNS."""

    def add_exec_to_kubeconfig(self) -> None:
        """Make the kubeconfig name a program to run."""

    def run_pod(self, name: str, node: str, *, budget: str = "") -> None:
        """Have a pod run; a disruption budget may hold it."""

    def run_staying_pods(self, node: str) -> None:
        """Have pods of all kinds that an eviction does not move."""

    def pods(self) -> set[str]:
        """Name all pods that are there."""

    def cordon_as_user(self, node: str) -> None:
        """Cordon a node as ``kubectl cordon`` does."""

    def is_cordoned(self, node: str) -> bool:
        """Tell whether the node takes no new pods."""

    def fall_silent(self, node: str) -> None:
        """Let the node no longer say what becomes of its pods."""

    def keep_node(self, node: str) -> None:
        """Have a finalizer keep the node object."""

    def token_ids(self) -> set[str]:
        """Return the public halves of the tokens that let a node join."""


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
        self._fake.nodes[name] = "Ready" if is_ready else "NotReady (as the test says)"

    def leave(self, name: str) -> None:
        del self._fake.nodes[name]

    def break_dns(self) -> None:
        self._fake.sick_checks.add("dns")

    def add_exec_to_kubeconfig(self) -> None:
        self._fake.with_exec.add(self.kubeconfig)

    def run_pod(self, name: str, node: str, *, budget: str = "") -> None:
        self._fake.pods.append(FakePod(name=name, node=node, budget=budget))

    def run_staying_pods(self, node: str) -> None:
        for name in STAYING:
            self._fake.pods.append(FakePod(name=name, node=node, stays=True))

    def pods(self) -> set[str]:
        return {pod.name for pod in self._fake.pods}

    def cordon_as_user(self, node: str) -> None:
        self._fake.cordoned[node] = False

    def is_cordoned(self, node: str) -> bool:
        return node in self._fake.cordoned

    def fall_silent(self, node: str) -> None:
        self._fake.nodes[node] = "NotReady (as the test says)"

    def keep_node(self, node: str) -> None:
        self._fake.kept.add(node)

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

    def add_exec_to_kubeconfig(self) -> None:
        user = {"exec": {"command": "touch", "args": [str(self._directory / "ran")]}}
        self.kubeconfig = self._server.kubeconfig(self._directory, user=user)

    def run_pod(self, name: str, node: str, *, budget: str = "") -> None:
        self._server.workload.run(name, node, owner="ReplicaSet")
        if budget:
            self._server.workload.budgets[name] = budget

    def run_staying_pods(self, node: str) -> None:
        workload = self._server.workload
        of_daemon_set, static, ended, failed = STAYING
        workload.run(of_daemon_set, node, owner="DaemonSet")
        mirror = workload.run(static, node, owner="Node")
        mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "1"}
        workload.run(ended, node, phase="Succeeded")
        workload.run(failed, node, phase="Failed")

    def pods(self) -> set[str]:
        return set(self._server.workload.pods)

    def cordon_as_user(self, node: str) -> None:
        self._node(node).unschedulable = True

    def is_cordoned(self, node: str) -> bool:
        return self._node(node).unschedulable

    def fall_silent(self, node: str) -> None:
        self._server.workload.silent.add(node)

    def keep_node(self, node: str) -> None:
        self._server.kept.add(node)

    def _node(self, name: str) -> FakeNode:
        return next(node for node in self._server.nodes if node.name == name)

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


def test_verifying_twice_returns_the_same(place: Place) -> None:
    assert verdicts(place) == verdicts(place)


def test_every_check_fails_while_the_api_server_does_not_answer(place: Place) -> None:
    """K-01: an error would hide the evidence of the other checks."""
    place.go_down()
    assert verdicts(place) == dict.fromkeys(CHECKS, False)


def test_a_missing_node_fails_its_check(place: Place) -> None:
    place.leave(WORKER)
    found = verdicts(place)
    assert (found["api"], found["nodes"], found["dns"]) == (True, False, True)


def test_a_node_that_is_not_ready_fails_its_check(place: Place) -> None:
    place.join(WORKER, is_ready=False)
    found = verdicts(place)
    assert (found["api"], found["nodes"], found["dns"]) == (True, False, True)


@pytest.mark.parametrize("is_ready", [True, False])
def test_an_unplanned_node_must_be_ready_too(place: Place, *, is_ready: bool) -> None:
    place.join("demo-worker2", is_ready=is_ready)
    assert verdicts(place)["nodes"] is is_ready


def test_what_is_not_well_is_told_while_it_is_waited_for(place: Place) -> None:
    """V-08."""
    told: list[str] = []
    place.api.verify(place.kubeconfig, EXPECTED, patience=1, report=told.append)
    assert told == []
    place.leave(WORKER)
    place.api.verify(place.kubeconfig, EXPECTED, patience=1, report=told.append)
    assert told
    assert all("last seen: " in line and "nodes" in line for line in told)


def test_missing_dns_fails_its_check(place: Place) -> None:
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
def test_a_malformed_token_is_refused_and_not_shown(place: Place, token: str) -> None:
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


def test_pods_are_listed_with_their_nodes_and_states(place: Place) -> None:
    assert place.api.list_pods(place.kubeconfig) == []
    place.run_pod("web-2", WORKER)
    place.run_pod("web-1", CONTROL_PLANE)
    found = place.api.list_pods(place.kubeconfig)
    assert {(pod.name, pod.node, pod.state) for pod in found} == {
        ("web-1", CONTROL_PLANE, "Running"),
        ("web-2", WORKER, "Running"),
    }


def test_a_node_that_does_not_say_its_load_is_left_out(place: Place) -> None:
    place.join("demo-worker2", is_ready=False)
    names = [CONTROL_PLANE, WORKER, "demo-worker2", "no-such-node"]
    found = place.api.use_of_nodes(place.kubeconfig, names)
    assert set(found) == {CONTROL_PLANE, WORKER}
    assert (found[WORKER].cpus, found[WORKER].memory_bytes) == (0.25, 700 * 1024**2)


def test_a_cordon_is_put_and_lifted_once(place: Place) -> None:
    """X-04."""
    api, path = place.api, place.kubeconfig
    assert [api.cordon(path, WORKER), api.cordon(path, WORKER)] == [True, False]
    assert [place.is_cordoned(node) for node in (WORKER, CONTROL_PLANE)] == [True, False]
    assert [api.uncordon(path, [WORKER]), api.uncordon(path, [WORKER])] == [True, False]
    assert not place.is_cordoned(WORKER)


def test_what_the_user_has_cordoned_stays_cordoned(place: Place) -> None:
    place.cordon_as_user(WORKER)
    assert not place.api.cordon(place.kubeconfig, WORKER)
    assert not place.api.uncordon(place.kubeconfig, [WORKER])
    assert place.is_cordoned(WORKER)


def test_a_node_that_is_not_registered_is_neither_cordoned_nor_drained(place: Place) -> None:
    assert not place.api.cordon(place.kubeconfig, "demo-worker2")
    assert not place.api.uncordon(place.kubeconfig, ["demo-worker2"])
    place.api.evict_pods(place.kubeconfig, "demo-worker2")


def test_pods_are_told_to_leave_and_awaited(place: Place) -> None:
    """X-04: those of other nodes stay."""
    place.run_pod("web-1", WORKER)
    place.run_pod("web-2", CONTROL_PLANE)
    with pytest.raises(NotYet, match="pod default/web-1 on demo-worker"):
        place.api.evict_pods(place.kubeconfig, WORKER)
    evict_all(place)
    assert place.pods() == {"web-2"}


def evict_all(place: Place) -> None:
    """Ask until no pod is left that would leave."""
    for _ in range(9):
        with contextlib.suppress(NotYet):
            place.api.evict_pods(place.kubeconfig, WORKER)
            return
    pytest.fail("a pod never left")


def test_pods_that_no_eviction_moves_stay_and_are_not_awaited(place: Place) -> None:
    place.run_staying_pods(WORKER)
    place.api.evict_pods(place.kubeconfig, WORKER)
    assert place.pods() == set(STAYING)


def test_a_pod_that_a_budget_holds_is_named_with_it_and_stays(place: Place) -> None:
    """X-04: whatever else leaves."""
    place.run_pod("web-1", WORKER)
    place.run_pod("db-1", WORKER, budget="db")
    for _ in range(3):
        with pytest.raises(NotYet) as caught:
            place.api.evict_pods(place.kubeconfig, WORKER)
        assert str(caught.value).startswith("pod default/db-1 on demo-worker: HTTP 429: ")
        assert "The disruption budget db needs 1 healthy pods" in str(caught.value)
    assert place.pods() == {"db-1"}


def test_pods_of_a_node_that_died_never_end(place: Place) -> None:
    place.run_pod("web-1", WORKER)
    place.fall_silent(WORKER)
    for _ in range(3):
        with pytest.raises(NotYet, match="pod default/web-1"):
            place.api.evict_pods(place.kubeconfig, WORKER)


def test_a_node_is_unregistered_once_and_for_all(place: Place) -> None:
    for _ in range(2):
        place.api.remove_node(place.kubeconfig, WORKER)
        assert set(place.api.joined_nodes(place.kubeconfig)) == {CONTROL_PLANE}


def test_a_node_object_that_something_keeps_is_not_yet_gone(place: Place) -> None:
    place.keep_node(WORKER)
    with pytest.raises(NotYet, match="still registered"):
        place.api.remove_node(place.kubeconfig, WORKER)


def test_the_objects_of_a_resource_are_json(place: Place) -> None:
    found = json.loads(place.api.objects(place.kubeconfig, "nodes.v1", patience=1))["items"]
    assert [one["metadata"]["name"] for one in found] == [CONTROL_PLANE, WORKER]


@each_ask
def test_an_api_server_that_does_not_answer_is_not_yet(place: Place, ask: Ask) -> None:
    place.go_down()
    with pytest.raises(NotYet, match=r"\S"):
        ask(place.api, place.kubeconfig)


@pytest.mark.parametrize("name", [*ASKS, "create_join_token"])
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
    place.add_exec_to_kubeconfig()
    with pytest.raises(VerifyError) as caught:
        ask(place.api, place.kubeconfig)
    assert caught.value.exit_code == 8
    assert "user.exec" in caught.value.details
    assert caught.value.hint.startswith("kubectl --kubeconfig ")
    assert not (tmp_path / "ran").exists()


def test_the_date_of_the_user_s_certificate_is_in_utc_and_needs_no_api_server(
    place: Place,
) -> None:
    place.go_down()
    assert place.api.certificate_expiry(place.kubeconfig).tzinfo is UTC
