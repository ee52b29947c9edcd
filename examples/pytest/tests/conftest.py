"""How the tests of this project deploy and wait."""

import json
from collections.abc import Callable

import pytest

from bootstrap import Cluster

#: Minutes, not seconds, without KVM.
PATIENCE_S = 600

Deploy = Callable[[str, str, int], list[str]]


@pytest.fixture
def deploy(k8s_clone: Cluster) -> Deploy:
    """Deploy an image that answers ``/name``, behind a service; return the nodes that run it."""

    def call(name: str, image: str, replicas: int) -> list[str]:
        documents = {"apiVersion": "v1", "kind": "List", "items": manifests(name, image, replicas)}
        # To validate, kubectl fetches the whole schema, and gives an API server 32 s for it. The
        # first one that an emulated API server writes may take longer.
        words = ("apply", "--validate=false", "--filename", "-")
        k8s_clone.kubectl(*words, stdin=json.dumps(documents))
        wait(k8s_clone, "rollout", "status", f"deployment/{name}")
        is_ready = "jsonpath={.endpoints[0].conditions.ready}=true"
        labelled = f"kubernetes.io/service-name={name}"
        wait(k8s_clone, "wait", "endpointslice", "--selector", labelled, f"--for={is_ready}")
        pods = k8s_clone.kubectl("get", "pods", "--selector", f"app={name}", "--output", "json")
        return sorted(pod["spec"]["nodeName"] for pod in json.loads(pods.stdout)["items"])

    return call


@pytest.fixture
def ask(k8s_clone: Cluster) -> Callable[[str, str], str]:
    """Ask a service for a path, through the API server: nothing has to lead into the cluster."""

    def call(service: str, path: str) -> str:
        place = f"/api/v1/namespaces/default/services/{service}:80/proxy/{path}"
        return k8s_clone.kubectl("get", "--raw", place).stdout

    return call


def wait(cluster: Cluster, *words: str) -> None:
    """Have kubectl wait, which fails with a reason if it takes too long."""
    cluster.kubectl(*words, f"--timeout={PATIENCE_S}s", timeout_s=PATIENCE_S + 60)


def manifests(name: str, image: str, replicas: int) -> list[dict[str, object]]:
    """Describe a deployment, its pods spread over the nodes, and its service."""
    labels = {"app": name}
    selector = {"matchLabels": labels}
    container = {
        "name": name,
        "image": image,
        # No registry has it: it is in the node image, or it was loaded.
        "imagePullPolicy": "Never",
        "readinessProbe": {"httpGet": {"path": "/name", "port": 8080}},
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": selector,
    }
    pod = {
        "containers": [container],
        # The control plane takes pods of ours as well.
        "tolerations": [{"operator": "Exists"}],
        "topologySpreadConstraints": [spread],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {"replicas": replicas, "selector": selector, "template": template}
    service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}
    metadata = {"name": name}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
    ]
