"""The real ClusterApi against an API server on loopback: no false OK, no false alarm (G-23)."""

import shlex
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from bootstrap.adapters.kubernetes.access import read_access
from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.adapters.kubernetes.client import ApiFailureError
from bootstrap.adapters.kubernetes.connection import connected
from bootstrap.errors import BootstrapError, TimedOutError, VerifyError
from bootstrap.ports import CheckResult, ExpectedNode
from bootstrap.waiting import NotYet
from tests.fakes.api_server import (
    KUBELET,
    USER_UNTIL,
    FakeApiServer,
    FakeClock,
    FakeNode,
    Illness,
    always,
    from_second,
    healthy_nodes,
    make_ca,
)

CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
ALL = frozenset(CHECKS)
TRAFFIC = {"service name", "pod to pod"}
YEAR = timedelta(days=365)
BOTH = frozenset({"demo-control-plane", "demo-worker"})
EXPECTED = (
    ExpectedNode(name="demo-control-plane", address="10.10.0.10", kubelet_version=KUBELET),
    ExpectedNode(name="demo-worker", address="10.10.0.11", kubelet_version=KUBELET),
)


def a_cluster_api(clock: FakeClock, *, call_timeout_s: float = 5.0) -> KubernetesClusterApi:
    return KubernetesClusterApi(
        clock=clock,
        sleep=clock.sleep,
        now=clock.utc,
        random_suffix=lambda: "abcd1234",
        call_timeout_s=call_timeout_s,
    )


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A cluster, and what verification must say of it."""

    name: str
    ill: Callable[[], Illness] = Illness
    nodes: Callable[[], list[FakeNode]] = healthy_nodes
    expected: Sequence[ExpectedNode] = EXPECTED
    server: Callable[[], dict[str, object]] = dict
    patience: int = 1
    call_timeout_s: float = 5.0
    not_ok: frozenset[str] | set[str] = frozenset()
    #: What may fail besides: several checks ask at once, so their order is not given.
    may_fail: frozenset[str] | set[str] = frozenset()
    evidence: dict[str, str] = field(default_factory=dict)


class Changes(TypedDict, total=False):
    """What a node may have otherwise than a healthy one."""

    address: str
    ready: Callable[[float], bool]
    joined: Callable[[float], bool]
    has_check_image: bool
    extra_addresses: tuple[str, ...]
    kubelet: str


def with_worker(**changes: Unpack[Changes]) -> Callable[[], list[FakeNode]]:
    def nodes() -> list[FakeNode]:
        first, worker = healthy_nodes()
        return [first, replace(worker, **changes)]

    return nodes


def flapping(at: float) -> bool:
    """K-01: up for 8 s, then away for 12."""
    return at % 20 < 8


def restarted(at: float) -> float:
    """Begin the process anew with each time up of ``flapping``."""
    return at - at % 20


def young(_at: float) -> float:
    return 0


def hiccup(at: float) -> bool:
    return not 10 <= at < 12


def never(_at: float) -> bool:
    return False


def one_node() -> list[FakeNode]:
    return healthy_nodes()[:1]


def an_extra(**changes: Unpack[Changes]) -> Callable[[], list[FakeNode]]:
    extra = FakeNode(name="demo-worker9", address="10.10.0.19")
    return lambda: [*healthy_nodes(), replace(extra, **changes)]


HEALTHY = [
    Scenario(name="healthy"),
    Scenario(name="healthy, emulated", patience=6),
    Scenario(name="healthy, a single node", nodes=one_node, expected=EXPECTED[:1]),
    Scenario(name="slow but fine", ill=lambda: Illness(delay_s=0.02)),
    Scenario(name="one hiccup of readyz, then steady", ill=lambda: Illness(readyz=hiccup)),
    Scenario(name="ready after a minute", ill=lambda: Illness(readyz=from_second(60))),
    Scenario(name="roles made after 20 s", ill=lambda: Illness(roles_made_at=20)),
    Scenario(name="a node joins late", nodes=with_worker(joined=from_second(100))),
    Scenario(name="a node becomes Ready late", nodes=with_worker(ready=from_second(200))),
    Scenario(
        name="a node becomes Ready after 20 emulated minutes",
        nodes=with_worker(ready=from_second(1200)),
        patience=6,
    ),
    Scenario(
        name="CoreDNS becomes available late",
        ill=lambda: Illness(coredns_available=lambda at: 2 if at > 100 else 0),
    ),
    Scenario(
        name="a single CoreDNS is wanted",
        ill=lambda: Illness(coredns_wanted=1, coredns_available=lambda _at: 1),
    ),
    Scenario(name="default service account made late", ill=lambda: Illness(service_account_at=60)),
    Scenario(name="pod networks made late", ill=lambda: Illness(pod_networks_at=90)),
    Scenario(name="the new name resolves late", ill=lambda: Illness(dns_works_at=70)),
    Scenario(name="every 37th request fails", ill=lambda: Illness(every_nth_fails=37)),
    Scenario(name="an extra node that is Ready", nodes=an_extra()),
]

API_SICK = [
    Scenario(
        name="K-01 V-04 flapping",
        ill=lambda: Illness(readyz=flapping, began=restarted),
        not_ok={"steady"},
        evidence={"steady": "etcd failed"},
    ),
    Scenario(
        name="V-04 crashes in a loop, and the kubelet has not noticed",
        ill=lambda: Illness(readyz=flapping, began=restarted, kubelet_says=always),
        not_ok={"steady"},
        evidence={"steady": "etcd failed"},
    ),
    Scenario(
        name="V-04 an old process that flaps, as its kubelet has seen",
        ill=lambda: Illness(readyz=flapping),
        not_ok={"steady"},
        evidence={"steady": "etcd failed"},
    ),
    *(
        Scenario(
            name=f"V-04 dies, and when its process began is {what}",
            ill=partial(Illness, dies_at=8, metrics=metrics),
            not_ok={"steady"},
            evidence={"steady": "connection was cut"},
        )
        for what, metrics in {
            "not told": "other 1\n",
            "cut off": "process_start_time_seconds 1.7",
            "no number": "process_start_time_seconds soon\n",
            "not a number": "process_start_time_seconds NaN\n",
            "endless": "process_start_time_seconds -Inf\n",
            "in the future": "process_start_time_seconds 9e9\n",
        }.items()
    ),
    Scenario(
        name="never ready",
        ill=lambda: Illness(readyz=never),
        not_ok=ALL,
        evidence={"api": "etcd failed", "nodes": "not run: the API server is not ready"},
    ),
    Scenario(
        name="dies after 8 s for good",
        ill=lambda: Illness(dies_at=8, began=young),
        not_ok={"steady"},
        evidence={"steady": "connection was cut"},
    ),
    Scenario(
        name="V-03 proxy answers 403 with a page",
        ill=lambda: Illness(page=403),
        not_ok=ALL,
        evidence={"api": "reached something that is not the API server: HTTP 403"},
    ),
    Scenario(
        name="V-03 portal answers 200 with a page",
        ill=lambda: Illness(page=200),
        not_ok=ALL,
        evidence={"api": "reached something that is not the API server: HTTP 200"},
    ),
    Scenario(
        name="V-03 proxy demands authentication",
        ill=lambda: Illness(page=407),
        not_ok=ALL,
        evidence={"api": "not the API server"},
    ),
    Scenario(
        name="V-03 redirect to a portal",
        ill=lambda: Illness(page=302),
        not_ok=ALL,
        evidence={"api": "not the API server"},
    ),
    Scenario(
        name="V-03 balancer has no backend",
        ill=lambda: Illness(page=503),
        not_ok=ALL,
        evidence={"api": "HTTP 503: a page that the API server did not write"},
    ),
    Scenario(
        name="another server says yes",
        ill=lambda: Illness(readyz_says="yes"),
        not_ok=ALL,
        evidence={"api": "not the API server"},
    ),
    *(
        Scenario(
            name=f"V-01 status {status}",
            ill=partial(Illness, status=status),
            not_ok=ALL,
            evidence={"api": f"HTTP {status}"},
        )
        for status in (401, 403, 404, 429, 500, 503)
    ),
    Scenario(
        name="V-01 truncated in mid-body",
        ill=lambda: Illness(truncated="length"),
        not_ok=ALL,
        evidence={"api": "a truncated answer"},
    ),
    Scenario(
        name="V-01 documents end early",
        ill=lambda: Illness(truncated="json"),
        not_ok=ALL - {"steady"},
        evidence={"api": "it is not whole JSON"},
    ),
    Scenario(
        name="V-01 hangs",
        ill=lambda: Illness(hangs=True),
        call_timeout_s=0.02,
        not_ok=ALL,
        evidence={"api": "no answer within"},
    ),
    Scenario(
        name="V-01 certificate for another address",
        server=lambda: {"certificate_address": "10.10.0.10"},
        not_ok=ALL,
        evidence={"api": "the server's certificate is for another name"},
    ),
    Scenario(
        name="V-01 certificate has expired",
        server=lambda: {"valid_until": datetime.now(UTC) - timedelta(days=1)},
        not_ok=ALL,
        evidence={"api": "the server's certificate is not valid today"},
    ),
    Scenario(
        name="V-01 no TLS",
        server=lambda: {"speaks_tls": False},
        not_ok=ALL,
        evidence={"api": "no TLS with the server"},
    ),
]

NODES_SICK = [
    Scenario(
        name="V-07 a node NotReady",
        nodes=with_worker(ready=never),
        not_ok={"nodes", "pods", *TRAFFIC},
        evidence={
            "nodes": "demo-worker NotReady (KubeletNotReady: cni plugin not initialized)",
            "pods": "demo-worker: Pending, ContainerCreating",
            "pod to pod": "not run: not every node runs a check pod",
        },
    ),
    Scenario(
        name="a node missing",
        nodes=one_node,
        not_ok={"nodes", "pods", *TRAFFIC},
        evidence={"nodes": "demo-worker has not joined"},
    ),
    Scenario(
        name="no node at all",
        nodes=list,
        not_ok={"nodes", "pods", *TRAFFIC},
        evidence={"nodes": "demo-control-plane has not joined; demo-worker has not joined"},
    ),
    Scenario(
        name="an extra node that is NotReady",
        nodes=an_extra(ready=never),
        not_ok={"nodes"},
        evidence={"nodes": "demo-worker9 NotReady"},
    ),
    Scenario(
        name="N-08 duplicate InternalIP",
        nodes=with_worker(address="10.10.0.10"),
        not_ok={"nodes"},
        evidence={"nodes": "10.10.0.10 is the InternalIP of 2 nodes"},
    ),
    Scenario(
        name="N-08 an extra node has the InternalIP of another",
        nodes=an_extra(address="10.10.0.11"),
        not_ok={"nodes"},
        evidence={"nodes": "10.10.0.11 is the InternalIP of 2 nodes"},
    ),
    Scenario(
        name="N-08 InternalIP of the uplink",
        nodes=with_worker(address="10.0.2.15"),
        not_ok={"nodes"},
        evidence={"nodes": "demo-worker has InternalIP 10.0.2.15, planned is 10.10.0.11"},
    ),
    Scenario(
        name="N-08 a second InternalIP",
        nodes=with_worker(extra_addresses=("10.0.2.15",)),
        not_ok={"nodes"},
        evidence={"nodes": "10.10.0.11,10.0.2.15"},
    ),
    Scenario(
        name="a kubelet that is older than planned",
        nodes=with_worker(kubelet="v1.36.3"),
        not_ok={"nodes"},
        evidence={"nodes": "demo-worker runs kubelet v1.36.3, planned is v1.37.2"},
    ),
    Scenario(
        name="a kubelet that does not tell its version",
        nodes=with_worker(kubelet=""),
        not_ok={"nodes"},
        evidence={"nodes": "demo-worker runs kubelet unknown, planned is v1.37.2"},
    ),
]

DNS_SICK = [
    Scenario(
        name="CoreDNS unavailable",
        ill=lambda: Illness(coredns_available=lambda _at: 0),
        not_ok={"dns"},
        evidence={"dns": "CoreDNS 0 of 2 available"},
    ),
    Scenario(
        name="one of two CoreDNS unavailable",
        ill=lambda: Illness(coredns_available=lambda _at: 1),
        not_ok={"dns"},
        evidence={"dns": "CoreDNS 1 of 2 available"},
    ),
    Scenario(
        name="CoreDNS not counted in full",
        ill=lambda: Illness(coredns_available=lambda _at: 1, coredns_counts_unavailable=False),
        not_ok={"dns"},
        evidence={"dns": "CoreDNS 1 of 2 available"},
    ),
    Scenario(
        name="CoreDNS scaled to nothing",
        ill=lambda: Illness(coredns_wanted=0, coredns_available=lambda _at: 0),
        not_ok={"dns"},
    ),
    Scenario(
        name="CoreDNS absent",
        ill=lambda: Illness(coredns_exists=False),
        not_ok={"dns"},
        evidence={"dns": '"coredns" not found'},
    ),
    Scenario(
        name="the controller manager has not seen CoreDNS",
        ill=lambda: Illness(coredns_unseen=True),
        not_ok={"dns"},
        evidence={"dns": "the controller manager has not looked at CoreDNS"},
    ),
    Scenario(
        name="DNS fails in one pod",
        ill=lambda: Illness(dns_fails_on=frozenset({"demo-worker"})),
        not_ok={"service name"},
        evidence={"service name": "demo-worker: resolved to"},
    ),
    Scenario(
        name="DNS returns another address",
        ill=lambda: Illness(dns_says="198.51.100.1"),
        not_ok={"service name"},
        evidence={"service name": "198.51.100.1"},
    ),
]

PODS_SICK = [
    Scenario(
        name="V-07 dead scheduler",
        ill=lambda: Illness(scheduler_dead=True),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "demo-worker: Pending, the scheduler has not looked at it"},
    ),
    Scenario(
        name="dead controller manager: no service account",
        ill=lambda: Illness(service_account_at=1e9),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "error looking up service account"},
    ),
    Scenario(
        name="image absent on a node",
        nodes=with_worker(has_check_image=False),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "demo-worker does not have the image bootstrap.dev/check:v1"},
    ),
    Scenario(
        name="no pod networks",
        ill=lambda: Illness(pod_networks_at=1e9),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "ContainerCreating"},
    ),
    Scenario(
        name="running without an address",
        ill=lambda: Illness(without_pod_address=frozenset({"demo-worker"})),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "demo-worker: Running"},
    ),
    Scenario(
        name="the check program ends at once",
        ill=lambda: Illness(pods_crash=True),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "the check program ended: Failed"},
    ),
    Scenario(
        name="no right to make namespaces",
        ill=lambda: Illness(namespaces_forbidden=True),
        not_ok={"pods", *TRAFFIC},
        evidence={"pods": "HTTP 403: namespaces is forbidden"},
    ),
    Scenario(
        name="pod to pod cut in one direction",
        ill=lambda: Illness(cut_between=frozenset({("demo-worker", "demo-control-plane")})),
        not_ok={"pod to pod"},
        evidence={
            "pod to pod": "demo-worker to demo-control-plane: http://10.244.0.5:8080/name: dial tcp"
        },
    ),
    Scenario(
        name="another pod has the address",
        ill=lambda: Illness(wrong_pod_answers="nginx"),
        not_ok={"pod to pod"},
        evidence={"pod to pod": "got 'nginx'"},
    ),
    Scenario(
        name="kube-proxy dead on one node",
        ill=lambda: Illness(service_fails_on=frozenset({"demo-worker"})),
        not_ok={"pod to pod"},
        evidence={"pod to pod": "demo-worker to the Service: http://10.96.7.7/name"},
    ),
    Scenario(
        name="N-16 large bodies hang",
        ill=lambda: Illness(large_fails_on=frozenset({"demo-worker"})),
        not_ok={"pod to pod"},
        evidence={"pod to pod": "a smaller MTU on the path does this"},
    ),
    Scenario(
        name="N-16 large bodies come short",
        ill=lambda: Illness(large_is_short_on=BOTH),
        not_ok={"pod to pod"},
        evidence={"pod to pod": "(1300 came)"},
    ),
    Scenario(
        name="N-16 large bodies hang between two nodes",
        ill=lambda: Illness(large_cut_between=frozenset({("demo-worker", "demo-control-plane")})),
        not_ok={"pod to pod"},
        evidence={"pod to pod": "demo-worker from demo-control-plane (large): a body of 20000"},
    ),
    Scenario(
        name="deletion refused",
        ill=lambda: Illness(deletion_refused=True),
        not_ok={"clean-up"},
        evidence={"clean-up": "no deleting today"},
    ),
    Scenario(
        name="deletion without effect",
        ill=lambda: Illness(deletion_ignored=True),
        not_ok={"clean-up"},
        evidence={"clean-up": "is still there"},
    ),
    Scenario(
        name="dies while nodes are awaited",
        ill=lambda: Illness(dies_at=60),
        nodes=with_worker(ready=from_second(100)),
        not_ok=ALL - {"api", "dns"},
        evidence={
            "nodes": "cut",
            "pods": "cut",
            "steady": "not run: the API server stopped answering",
        },
    ),
    Scenario(
        name="dies while pods are awaited",
        ill=lambda: Illness(pod_networks_at=100, dies_at=60),
        not_ok=ALL - {"api", "nodes", "dns"},
        evidence={"pods": "cut", "clean-up": "Timed out"},
    ),
    Scenario(
        name="dies after 20 answers",
        ill=lambda: Illness(lives_for=20),
        not_ok={"clean-up", "steady"},
        may_fail={"pods", *TRAFFIC},
    ),
]

SICK = [*API_SICK, *NODES_SICK, *DNS_SICK, *PODS_SICK]


@pytest.fixture
def fake() -> Iterator[FakeApiServer]:
    with FakeApiServer().running() as server:
        yield server


def verified(scenario: Scenario, directory: Path) -> tuple[FakeApiServer, Sequence[CheckResult]]:
    server = FakeApiServer(
        ill=scenario.ill(),
        nodes=scenario.nodes(),
        **scenario.server(),  # type: ignore[arg-type]
    )
    with server.running():
        api = a_cluster_api(server.clock, call_timeout_s=scenario.call_timeout_s)
        results = api.verify(
            server.kubeconfig(directory), scenario.expected, patience=scenario.patience
        )
    return server, results


@pytest.mark.parametrize("scenario", HEALTHY, ids=lambda scenario: scenario.name)
def test_a_healthy_cluster_raises_no_alarm(scenario: Scenario, tmp_path: Path) -> None:
    """G-23: 0 false alarms."""
    server, results = verified(scenario, tmp_path)
    assert [(result.name, result.ok) for result in results] == [(name, True) for name in CHECKS], (
        results
    )
    assert "deletionTimestamp" in server.namespaces["bootstrap-verify-abcd1234"]["metadata"]


@pytest.mark.parametrize("scenario", SICK, ids=lambda scenario: scenario.name)
def test_a_sick_cluster_is_never_called_well(scenario: Scenario, tmp_path: Path) -> None:
    """G-23: 0 false OK, and no check is blamed for another's fault."""
    server, results = verified(scenario, tmp_path)
    assert [result.name for result in results] == list(CHECKS)
    failed = {result.name for result in results if not result.ok}
    assert scenario.not_ok <= failed <= scenario.not_ok | scenario.may_fail, results
    seen = {result.name: result.evidence for result in results}
    for name, words in scenario.evidence.items():
        assert words in seen[name]
    assert all("\n" not in result.evidence for result in results)
    if "clean-up" not in scenario.not_ok:
        made = server.namespaces.values()
        assert all("deletionTimestamp" in item["metadata"] for item in made)


def test_there_are_at_least_forty_scenarios_with_distinct_names() -> None:
    """G-23."""
    names = [scenario.name for scenario in (*HEALTHY, *SICK)]
    assert len(set(names)) == len(names) >= 40


def test_each_way_of_failing_to_connect_has_its_own_evidence(tmp_path: Path) -> None:
    """V-01: the evidence alone tells them apart."""
    evidence = [verified(scenario, tmp_path)[1][0].evidence for scenario in API_SICK[5:]]
    assert len(set(evidence)) == len(evidence)


def test_a_closed_port_is_connection_refused(tmp_path: Path) -> None:
    """V-01: an old endpoint."""
    fake = FakeApiServer()
    with socket.create_server(("127.0.0.1", 0)) as free:
        fake.port = free.getsockname()[1]
    kubeconfig = fake.kubeconfig(tmp_path)
    results = a_cluster_api(fake.clock).verify(kubeconfig, EXPECTED, patience=1)
    assert not any(result.ok for result in results)
    assert "connection refused" in results[0].evidence
    assert f"https://127.0.0.1:{fake.port}" in results[0].evidence


def test_a_server_of_another_ca_is_told_apart(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-01: the port now belongs to another cluster, whose CA has the same name."""
    fake.ca = make_ca()
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert not any(result.ok for result in results)
    assert "not from the kubeconfig's CA" in results[0].evidence
    assert fake.requests == []


def test_permanent_faults_end_the_wait_at_once(tmp_path: Path) -> None:
    """A wrong certificate does not become right in two minutes."""
    for scenario in API_SICK:
        if scenario.name in {"V-01 status 401", "V-03 proxy answers 403 with a page"}:
            server, _ = verified(scenario, tmp_path)
            assert server.clock() == 0


def test_an_old_api_server_is_not_waited_for(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: its own age and its kubelet's verdict are the evidence."""
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results
    assert "its process is 3600 s old" in results[-1].evidence
    assert fake.clock() == 0


@pytest.mark.parametrize("here", [-1, 1])
def test_only_the_node_s_clock_counts(here: int, fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: this host may live in another year."""
    fake.ill.began = lambda _at: -20
    api = replace(a_cluster_api(fake.clock), now=lambda: fake.clock.utc() + here * YEAR)
    results = api.verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results
    assert 10 <= fake.clock() < 15


def test_a_young_api_server_is_waited_for(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: until its process is thirty seconds old."""
    fake.ill.began = young
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results
    assert 30 <= fake.clock() < 35
    assert fake.requests.count("GET /readyz") >= 3


def test_another_process_that_answers_is_waited_for(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: it restarted while the other checks ran, between two looks."""
    fake.ill.pod_networks_at = 8
    fake.ill.began = lambda at: -3600 if at < 4.2 else 4.2
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert fake.clock() >= 34


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver"])
def test_a_component_of_which_the_kubelet_says_nothing_is_watched(
    component: str, fake: FakeApiServer, tmp_path: Path
) -> None:
    """V-04: for thirty seconds, and then no alarm is raised."""
    fake.on_the_way = lambda _method, path, answer: (
        (200, answer[1], answer[2].replace(component.encode(), b"other"))
        if "/kube-system/pods" in path
        else answer
    )
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results
    assert fake.clock() >= 30


def test_two_slow_answers_are_not_steady(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: thirty seconds may pass between two answers of an emulated server."""
    fake.ill.takes_s, fake.ill.metrics = 40, "none\n"
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=6)
    assert fake.requests.count("GET /readyz") >= 3


def test_a_gap_while_other_checks_run_is_a_gap(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: even of an old process thirty seconds are watched after it."""
    fake.ill.pod_networks_at, fake.ill.kubelet_says = 40, always
    fake.ill.readyz = lambda at: not 30 <= at < 40
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert fake.clock() >= 70


def test_time_that_other_checks_take_counts(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: thirty seconds that were watched already are not waited for again."""
    fake.ill.pod_networks_at, fake.ill.metrics = 40, "none\n"
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert fake.clock() < 50


def test_all_checks_share_one_deadline(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-08: whatever is ill at the same time; cleaning up has a minute more."""
    fake.nodes[1].ready = never
    fake.ill.coredns_available = lambda _at: 0
    fake.ill.pod_networks_at, fake.ill.deletion_ignored = 1e9, True
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=6)
    assert {result.name for result in results if result.ok} == {"api", "steady"}
    assert 6 * 300 <= fake.clock() < 6 * 361 + 30


@pytest.mark.parametrize("takes_s", [0, 7])
def test_a_time_out_names_the_time_that_passed(
    takes_s: float, fake: FakeApiServer, tmp_path: Path
) -> None:
    """V-08."""
    fake.ill.service_fails_on, fake.ill.takes_s = BOTH, takes_s
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    (failed,) = (result.evidence for result in results if not result.ok)
    assert failed.startswith("Timed out after ")
    passed = float(failed.split()[3])
    assert 90 <= passed < 90 + 2 + 12 * takes_s + 1
    assert "demo-worker to the Service: " in failed


def test_the_probes_of_one_look_are_asked_at_the_same_time(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    """V-08: each waits here until all four of both pods, and both names, have come."""
    together = threading.Barrier(2 * 5)

    def raw(handler: BaseHTTPRequestHandler) -> bool:
        if "/proxy/" in handler.path:
            together.wait(timeout=20)
        return False

    fake.raw = raw
    results = a_cluster_api(fake.clock, call_timeout_s=30).verify(
        fake.kubeconfig(tmp_path), EXPECTED, patience=1
    )
    assert all(result.ok for result in results), results
    assert not together.broken


def test_what_is_not_well_is_told_while_it_is_waited_for(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    """V-08."""
    fake.nodes[1].ready = from_second(60)
    told: list[str] = []
    a_cluster_api(fake.clock).verify(
        fake.kubeconfig(tmp_path), EXPECTED, patience=1, report=told.append
    )
    assert 4 <= len(told) <= 6
    assert all("demo-worker NotReady" in line for line in told), told


def test_leaving_early_waits_for_no_answer(fake: FakeApiServer, tmp_path: Path) -> None:
    """R-12: an interruption does not wait for a server that is silent."""
    access = read_access(fake.kubeconfig(tmp_path))
    failures: list[ApiFailureError] = []
    asked = threading.Event()

    def raw(_handler: BaseHTTPRequestHandler) -> bool:
        asked.set()
        return fake.released.wait()

    fake.raw = raw

    def ask(send: Callable[..., object]) -> None:
        try:
            send("GET", "/readyz", None)
        except ApiFailureError as error:
            failures.append(error)

    with connected(access, timeout_s=300) as send:
        thread = threading.Thread(target=ask, args=(send,))
        thread.start()
        assert asked.wait(timeout=30)
    thread.join(timeout=30)
    assert len(failures) == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"])
def test_a_proxy_in_the_environment_is_not_used(
    name: str, fake: FakeApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P-15, V-05."""
    proxy = FakeApiServer(ill=Illness(page=403), speaks_tls=False)
    with proxy.running():
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        api = a_cluster_api(fake.clock)
        results = api.verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results
    assert proxy.requests == []


def test_the_user_s_own_kubeconfig_is_not_read(
    fake: FakeApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V-05."""
    decoy = tmp_path / "decoy"
    decoy.write_text("not: [a, kubeconfig")
    monkeypatch.setenv("KUBECONFIG", str(decoy))
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results


def test_leftovers_of_killed_runs_are_removed_and_nothing_else(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    """A run that was killed an hour ago cleans up through the next one."""
    fake.add_namespace("bootstrap-verify-0ld", age=timedelta(hours=2))
    fake.add_namespace("bootstrap-verify-y0ung", age=timedelta(minutes=30))
    fake.add_namespace("bootstrap-verify-theirs", age=timedelta(hours=2), labelled=False)
    fake.add_namespace("theirs", age=timedelta(hours=2))
    results = a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert all(result.ok for result in results), results
    gone = {name for name, it in fake.namespaces.items() if "deletionTimestamp" in it["metadata"]}
    assert gone == {"bootstrap-verify-0ld", "bootstrap-verify-abcd1234"}


def test_an_interrupted_run_cleans_up(fake: FakeApiServer, tmp_path: Path) -> None:
    fake.ill.pod_networks_at = 1e9

    def sleep(seconds: float) -> None:
        fake.clock.sleep(seconds)
        if fake.pods:
            raise KeyboardInterrupt

    api = replace(a_cluster_api(fake.clock), sleep=sleep)
    kubeconfig = fake.kubeconfig(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        api.verify(kubeconfig, EXPECTED, patience=1)
    assert "deletionTimestamp" in fake.namespaces["bootstrap-verify-abcd1234"]["metadata"]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("user", "exec"),
        ("user", "auth-provider"),
        ("user", "tokenFile"),
        ("user", "client-key"),
        ("cluster", "proxy-url"),
        ("cluster", "insecure-skip-tls-verify"),
        ("cluster", "certificate-authority"),
    ],
)
def test_a_kubeconfig_with_more_than_is_needed_is_refused(
    kind: str, field: str, fake: FakeApiServer, tmp_path: Path
) -> None:
    """V-06, SEC-31: no program is run and no server asked."""
    marker = tmp_path / "ran"
    value = {"command": "touch", "args": [str(marker)]}
    kubeconfig = fake.kubeconfig(tmp_path, **{kind: {field: value}})
    with pytest.raises(VerifyError) as caught:
        a_cluster_api(fake.clock).verify(kubeconfig, EXPECTED, patience=1)
    assert f"{kind}.{field}" in caught.value.details
    assert not marker.exists()
    assert fake.requests == []


def test_joined_nodes_give_ready_or_the_reason(fake: FakeApiServer, tmp_path: Path) -> None:
    fake.nodes[1].ready = never
    joined = a_cluster_api(fake.clock).joined_nodes(fake.kubeconfig(tmp_path))
    assert joined == {
        "demo-control-plane": "Ready",
        "demo-worker": "NotReady (KubeletNotReady: cni plugin not initialized)",
    }


@pytest.mark.parametrize(
    "ill",
    [
        Illness(status=503),
        Illness(status=500),
        Illness(page=502),
        Illness(dies_at=0),
        Illness(truncated="length"),
        Illness(truncated="json"),
        Illness(roles_made_at=20),
    ],
)
def test_joined_nodes_are_not_yet_known_while_the_server_does_not_answer(
    ill: Illness, fake: FakeApiServer, tmp_path: Path
) -> None:
    fake.ill = ill
    with pytest.raises(NotYet):
        a_cluster_api(fake.clock).joined_nodes(fake.kubeconfig(tmp_path))


@pytest.mark.parametrize(
    "ill", [Illness(status=401), Illness(nodes_forbidden=True), Illness(page=403)]
)
def test_joined_nodes_fail_where_waiting_does_not_help(
    ill: Illness, fake: FakeApiServer, tmp_path: Path
) -> None:
    fake.ill = ill
    kubeconfig = fake.kubeconfig(tmp_path)
    with pytest.raises(BootstrapError) as caught:
        a_cluster_api(fake.clock).joined_nodes(kubeconfig)
    # V-02: a hint is a command that can be typed.
    assert shlex.split(caught.value.hint)[:3] == ["kubectl", "--kubeconfig", str(kubeconfig)]


def test_a_join_token_is_a_secret_that_expires(fake: FakeApiServer, tmp_path: Path) -> None:
    api = a_cluster_api(fake.clock)
    api.create_join_token(fake.kubeconfig(tmp_path), "abcdef.0123456789abcdef", lifetime_s=3600)
    secret = fake.secrets["bootstrap-token-abcdef"]
    assert secret["type"] == "bootstrap.kubernetes.io/token"
    assert secret["metadata"]["namespace"] == "kube-system"
    assert secret["stringData"] == {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "expiration": "2026-11-22T13:00:00Z",
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
    }


def test_creating_a_join_token_twice_keeps_the_first(fake: FakeApiServer, tmp_path: Path) -> None:
    api, kubeconfig = a_cluster_api(fake.clock), fake.kubeconfig(tmp_path)
    api.create_join_token(kubeconfig, "abcdef.0123456789abcdef", lifetime_s=3600)
    api.create_join_token(kubeconfig, "abcdef.0123456789abcdef", lifetime_s=7200)
    kept = fake.secrets["bootstrap-token-abcdef"]
    assert kept["stringData"]["expiration"] == "2026-11-22T13:00:00Z"


def test_a_join_token_waits_for_the_server_and_never_shows_itself(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    fake.ill = Illness(status=503)
    with pytest.raises(TimedOutError) as caught:
        a_cluster_api(fake.clock).create_join_token(
            fake.kubeconfig(tmp_path), "abcdef.0123456789abcdef", lifetime_s=3600
        )
    error = caught.value
    assert "0123456789abcdef" not in error.message + error.details + error.hint


def test_expiry_is_that_of_the_user_s_certificate_and_asks_no_server(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    kubeconfig = fake.kubeconfig(tmp_path)
    assert a_cluster_api(fake.clock).certificate_expiry(kubeconfig) == USER_UNTIL
    assert fake.requests == []
