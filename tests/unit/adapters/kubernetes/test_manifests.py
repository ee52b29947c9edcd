"""What verification makes is what the API server's types know, and no more than it needs."""

from typing import Any

import pytest
from kubernetes.client import ApiClient, V1Namespace, V1Pod, V1Secret, V1Service

from bootstrap.adapters.kubernetes.manifests import (
    namespace_manifest,
    pod_manifest,
    service_manifest,
)
from bootstrap.adapters.kubernetes.tokens import expiry, join_token_secret
from tests.fakes.api_server import NOW

TOKEN = join_token_secret("abcdef.0123456789abcdef", expires=expiry(NOW, 60))


@pytest.mark.parametrize(
    ("kind", "manifest"),
    [
        (V1Namespace, namespace_manifest("n")),
        (V1Service, service_manifest()),
        (V1Pod, pod_manifest("p", node="n")),
        (V1Secret, TOKEN),
    ],
    ids=["namespace", "service", "pod", "secret"],
)
def test_every_field_is_one_that_kubernetes_knows(
    kind: type[V1Namespace | V1Service | V1Pod | V1Secret], manifest: dict[str, Any]
) -> None:
    """A misspelt field would be dropped in silence; the official types do the same here."""
    read_back = kind.from_dict(manifest)
    with ApiClient() as api:
        assert api.sanitize_for_serialization(read_back) == manifest


def test_the_scheduler_places_the_pod() -> None:
    """V-07: a pod with a node name would run without any scheduler."""
    spec = pod_manifest("p", node="demo-worker")["spec"]
    assert "nodeName" not in spec
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms["nodeSelectorTerms"][0]["matchExpressions"][0] == {
        "key": "kubernetes.io/hostname",
        "operator": "In",
        "values": ["demo-worker"],
    }
    assert spec["tolerations"] == [{"operator": "Exists"}]


def test_the_pod_satisfies_the_restricted_pod_security_standard() -> None:
    spec = pod_manifest("p", node="n")["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_no_registry_is_ever_asked() -> None:
    (container,) = pod_manifest("p", node="n")["spec"]["containers"]
    assert container["imagePullPolicy"] == "Never"
