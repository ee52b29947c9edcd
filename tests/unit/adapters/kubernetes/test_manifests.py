"""The objects that are made: no more rights than they need, and no secret shown.

That the API server knows every field, ``fieldValidation=Strict`` asks of each one, and
``tests/contract/test_security_profiles.py`` of a real one.
"""

import pytest

from bootstrap.adapters.kubernetes.manifests import join_token_secret, pod_manifest
from bootstrap.errors import BootstrapError
from tests.fakes.api_server import NOW


def test_the_scheduler_places_the_pod() -> None:
    """V-07: a pod with a node name would run without any scheduler."""
    spec = pod_manifest("p", node="worker")["spec"]
    assert "nodeName" not in spec
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms["nodeSelectorTerms"][0]["matchExpressions"][0] == {
        "key": "kubernetes.io/hostname",
        "operator": "In",
        "values": ["worker"],
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


def test_the_image_comes_from_no_registry() -> None:
    (container,) = pod_manifest("p", node="n")["spec"]["containers"]
    assert container["imagePullPolicy"] == "Never"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "abcdef",
        "ABCDEF.0123456789abcdef",
        "abcdef.0123456789abcde",
        "abcdef.0123456789abcdef\n",
        "../def.0123456789abcdef",
    ],
)
def test_what_is_not_a_join_token_is_refused_unseen(token: str) -> None:
    with pytest.raises(BootstrapError) as caught:
        join_token_secret(token, expires=NOW)
    assert not token or token not in f"{caught.value.message}{caught.value.details}"
