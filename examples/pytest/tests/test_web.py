"""A web application in a clone of its own, from an image that every cluster has."""

from collections.abc import Callable

from bootstrap import Cluster

#: Answers what a pod sees of its cluster; part of every node.
IMAGE = "bootstrap.dev/check:v1"


def test_the_application_runs_on_every_node(
    k8s_clone: Cluster, deploy: Callable[..., list[str]], ask: Callable[[str, str], str]
) -> None:
    assert deploy("web", IMAGE, 2) == [node.name for node in k8s_clone.nodes()]
    assert ask("web", "name").startswith("web-")
    # From inside a pod: the cluster's DNS, then the service, then any pod.
    inside = ask("web", "fetch?url=http://web.default.svc.cluster.local/name")
    assert '"status":200' in inside


def test_a_clone_has_nothing_of_the_test_before(k8s_clone: Cluster) -> None:
    found = k8s_clone.kubectl("get", "deployments", "--output", "name").stdout
    assert found == ""


def test_a_pod_that_is_lost_is_replaced(
    k8s_clone: Cluster, deploy: Callable[..., list[str]], ask: Callable[[str, str], str]
) -> None:
    deploy("web", IMAGE, 1)
    before = ask("web", "name")
    k8s_clone.kubectl("delete", "pod", before, "--wait")
    k8s_clone.kubectl("rollout", "status", "deployment/web", "--timeout=600s", timeout_s=660)
    pods = k8s_clone.kubectl("get", "pods", "--selector", "app=web", "--output", "name").stdout
    assert before not in pods
