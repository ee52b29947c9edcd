"""Emptying a node through the real ClusterApi: what only an API server on loopback can show."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.waiting import NotYet
from tests.fakes.api_server import FakeApiServer, Illness

WORKER = "demo-worker"


@pytest.fixture
def fake() -> Iterator[FakeApiServer]:
    with FakeApiServer().running() as server:
        yield server


@pytest.fixture
def kubeconfig(fake: FakeApiServer, tmp_path: Path) -> Path:
    return fake.kubeconfig(tmp_path)


@pytest.fixture
def api(fake: FakeApiServer) -> KubernetesClusterApi:
    return KubernetesClusterApi(clock=fake.clock, sleep=fake.clock.sleep, call_timeout_s=5)


def left(api: KubernetesClusterApi, kubeconfig: Path) -> str:
    """Ask for the evictions; gives what is not yet."""
    with pytest.raises(NotYet) as caught:
        api.evict_pods(kubeconfig, WORKER)
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "unable to create new content in namespace default: it is being terminated"),
        (400, "admission webhook 'storage' denied the request"),
        (429, "too many requests"),
        (500, "This pod has more than one PodDisruptionBudget"),
    ],
)
def test_a_refused_eviction_is_told_with_its_pod_and_asked_for_again(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path, status: int, message: str
) -> None:
    """X-04: no refusal of one pod's eviction need last."""
    fake.workload.run("db-0", WORKER, owner="StatefulSet")
    fake.workload.refusals["db-0"] = (status, message)
    assert left(api, kubeconfig) == (f"pod default/db-0 on demo-worker: HTTP {status}: {message}")
    fake.workload.refusals.clear()
    assert left(api, kubeconfig) == "pod default/db-0 on demo-worker was asked to end"
    assert left(api, kubeconfig) == "pod default/db-0 on demo-worker is ending"
    api.evict_pods(kubeconfig, WORKER)


def test_one_pod_that_is_refused_does_not_keep_the_others(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path
) -> None:
    for name in ("a", "b", "c"):
        fake.workload.run(name, WORKER, owner="ReplicaSet")
    fake.workload.refusals["a"] = (500, "This pod has more than one PodDisruptionBudget")
    left(api, kubeconfig)
    left(api, kubeconfig)
    assert set(fake.workload.pods) == {"a"}


def test_of_many_pods_the_first_are_named_and_those_that_are_held_before_all(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path
) -> None:
    for number in range(8):
        fake.workload.run(f"web-{number}", WORKER, owner="ReplicaSet")
    fake.workload.budgets["web-7"] = "web"
    text = left(api, kubeconfig)
    assert text.startswith("pod default/web-7 on demo-worker: HTTP 429: Cannot evict pod")
    assert "The disruption budget web needs 1" in text
    assert text.count("pod default/") == 5
    assert text.endswith("; and 3 more")


def test_a_server_that_stops_answering_is_not_asked_for_every_pod(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path
) -> None:
    """Each request has its own deadline, and a node may have a hundred pods."""
    for number in range(20):
        fake.workload.run(f"web-{number}", WORKER, owner="ReplicaSet")
    fake.ill = Illness(lives_for=4)
    assert "web-3 on demo-worker: the connection was cut" in left(api, kubeconfig)
    assert len(fake.requests) == 4


def test_a_pod_that_left_between_two_requests_is_as_wanted(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path
) -> None:
    fake.workload.run("web-0", WORKER, owner="ReplicaSet")
    fake.workload.refusals["web-0"] = (404, 'pods "web-0" not found')
    api.evict_pods(kubeconfig, WORKER)


def test_a_pod_whose_daemon_set_is_not_its_controller_leaves(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path
) -> None:
    pod = fake.workload.run("web-0", WORKER, owner="DaemonSet")
    pod["metadata"]["ownerReferences"][0]["controller"] = False
    assert "default/web-0" in left(api, kubeconfig)


def test_a_cordon_says_that_it_is_ours_and_leaves_nothing_behind(
    fake: FakeApiServer, api: KubernetesClusterApi, kubeconfig: Path
) -> None:
    worker = fake.nodes[1]
    worker.annotations = {"mine": "kept"}
    api.cordon(kubeconfig, WORKER)
    assert worker.annotations == {"mine": "kept", "bootstrap.dev/cordoned": "true"}
    assert worker.unschedulable
    api.uncordon(kubeconfig, [WORKER])
    assert worker.annotations == {"mine": "kept"}
    assert not worker.unschedulable
