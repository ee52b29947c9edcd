"""The real ClusterApi against an API server on loopback: no false OK, no false alarm (G-23)."""

import shlex
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.errors import BootstrapError, TimedOutError, VerifyError
from bootstrap.ports import CheckResult, ExpectedNode
from bootstrap.waiting import NotYet
from tests.fakes.api_server import (
    FakeApiServer,
    FakeClock,
    FakeNode,
    Illness,
    from_second,
    healthy_nodes,
    make_identity,
)

CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
ALL = frozenset(CHECKS)
TRAFFIC = {"service name", "pod to pod"}
BOTH = frozenset({"demo-control-plane", "demo-worker"})
EXPECTED = (
    ExpectedNode(name="demo-control-plane", address="10.10.0.10"),
    ExpectedNode(name="demo-worker", address="10.10.0.11"),
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
    evidence: dict[str, str] = field(default_factory=dict)


class Changes(TypedDict, total=False):
    """What a node may have otherwise than a healthy one."""

    address: str
    ready: Callable[[float], bool]
    joined: Callable[[float], bool]
    has_check_image: bool
    extra_addresses: tuple[str, ...]


def with_worker(**changes: Unpack[Changes]) -> Callable[[], list[FakeNode]]:
    def nodes() -> list[FakeNode]:
        first, worker = healthy_nodes()
        return [first, replace(worker, **changes)]

    return nodes


def flapping(at: float) -> bool:
    """K-01: up for 8 s, then away for 12."""
    return at % 20 < 8


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
        ill=lambda: Illness(readyz=flapping),
        not_ok={"steady"},
        evidence={"steady": "etcd failed"},
    ),
    Scenario(
        name="never ready",
        ill=lambda: Illness(readyz=never),
        not_ok=ALL,
        evidence={"api": "etcd failed", "nodes": "not run: the API server is not ready"},
    ),
    Scenario(
        name="dies after 8 s for good",
        ill=lambda: Illness(dies_at=8),
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
        name="V-03 proxy wants authentication",
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
            "pods": "no pod on demo-worker",
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
        name="nobody has looked at CoreDNS",
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
        name="DNS gives another address",
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
        ill=lambda: Illness(stranger_answers="nginx"),
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
        not_ok=ALL - {"api"},
        evidence={"nodes": "cut", "dns": "not run: the API server stopped answering"},
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
        not_ok={"pod to pod", "clean-up", "steady"},
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
    assert {result.name for result in results if not result.ok} == scenario.not_ok, results
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


def test_nobody_listening_is_connection_refused(tmp_path: Path) -> None:
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
    fake.ca = make_identity("kubernetes")
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


def test_readiness_is_seen_for_thirty_seconds_on_end(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: three answers are not enough if they came within six seconds."""
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert fake.clock() >= 30
    assert fake.requests.count("GET /readyz") >= 3


def test_two_slow_answers_are_not_steady(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: thirty seconds may pass between two answers of an emulated server."""
    fake.ill.takes_s = 40
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=6)
    assert fake.requests.count("GET /readyz") >= 3


def test_a_gap_while_other_checks_run_is_a_gap(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: the thirty seconds begin anew after it."""
    fake.ill.pod_networks_at = 40
    fake.ill.readyz = lambda at: not 30 <= at < 40
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert fake.clock() >= 70


def test_time_that_other_checks_take_counts(fake: FakeApiServer, tmp_path: Path) -> None:
    """V-04: nobody waits for thirty seconds more when they were seen already."""
    fake.ill.pod_networks_at = 40
    a_cluster_api(fake.clock).verify(fake.kubeconfig(tmp_path), EXPECTED, patience=1)
    assert fake.clock() < 50


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


def test_the_certificate_may_name_the_server_differently(tmp_path: Path) -> None:
    """tls-server-name: the host forwards a port to a server that does not know 127.0.0.1."""
    fake = FakeApiServer(certificate_address="10.10.0.10")
    with fake.running():
        kubeconfig = fake.kubeconfig(tmp_path, cluster={"tls-server-name": "10.10.0.10"})
        results = a_cluster_api(fake.clock).verify(kubeconfig, EXPECTED, patience=1)
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
    """V-06, SEC-31: nothing of it is run or asked."""
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
    ],
    ids=str,
)
def test_joined_nodes_are_not_yet_known_while_the_server_does_not_answer(
    ill: Illness, fake: FakeApiServer, tmp_path: Path
) -> None:
    fake.ill = ill
    with pytest.raises(NotYet):
        a_cluster_api(fake.clock).joined_nodes(fake.kubeconfig(tmp_path))


@pytest.mark.parametrize("ill", [Illness(status=401), Illness(status=403), Illness(page=403)])
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


def test_version_is_the_server_s_own(fake: FakeApiServer, tmp_path: Path) -> None:
    assert a_cluster_api(fake.clock).version(fake.kubeconfig(tmp_path)) == "v1.37.2"


def test_expiry_is_that_of_both_certificates_even_in_the_past(tmp_path: Path) -> None:
    past = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    fake = FakeApiServer(valid_until=past)
    with fake.running():
        expiry = a_cluster_api(fake.clock).certificate_expiry(fake.kubeconfig(tmp_path))
    assert expiry.server == past
    assert timedelta(days=29) < expiry.client - datetime.now(UTC) < timedelta(days=31)
    assert fake.requests == []


def test_expiry_is_not_read_from_a_stranger(fake: FakeApiServer, tmp_path: Path) -> None:
    fake.ca = make_identity("kubernetes")
    with pytest.raises(BootstrapError, match="Could not read the server's certificate"):
        a_cluster_api(fake.clock).certificate_expiry(fake.kubeconfig(tmp_path))
