"""Objects are dumped without what is secret or says nothing."""

import json
from typing import Any

import pytest

from bootstrap.adapters.kubernetes.client import Answer, Client, Document
from bootstrap.adapters.kubernetes.dumping import dump
from tests.unit.adapters.kubernetes.test_client import ACCESS


def dumped(resource: str, *items: object) -> tuple[list[Any], list[str]]:
    """Return what is dumped of objects, and the paths that were asked for."""
    asked: list[str] = []

    def send(method: str, path: str, document: Document | None) -> Answer:
        assert (method, document) == ("GET", None)
        asked.append(path)
        body = json.dumps({"kind": "List", "items": items}).encode()
        return Answer(status=200, content_type="application/json", body=body)

    client = Client(access=ACCESS, send=send, clock=lambda: 0.0, sleep=lambda _: None, patience=1)
    return json.loads(dump(client, resource))["items"], asked


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("pods.v1", "/api/v1/pods"),
        ("deployments.v1.apps", "/apis/apps/v1/deployments"),
        ("leases.v1.coordination.k8s.io", "/apis/coordination.k8s.io/v1/leases"),
    ],
)
def test_each_resource_is_asked_for_in_all_namespaces(resource: str, path: str) -> None:
    assert dumped(resource) == ([], [path])


def test_the_variables_of_containers_have_no_values() -> None:
    secret = [{"name": "PASSWORD", "value": "hunter2"}, {"name": "X", "valueFrom": {"field": "y"}}]
    pod = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "env": secret}]}}
    template = {"spec": {"initContainers": [{"env": secret}]}}
    (one, other), _ = dumped("pods.v1", pod, {"spec": {"template": template}})
    assert one["spec"]["containers"][0]["env"] == [
        {"name": "PASSWORD", "value": "(removed)"},
        {"name": "X", "valueFrom": {"field": "y"}},
    ]
    assert "hunter2" not in json.dumps(other)


def test_what_repeats_an_object_is_left_out() -> None:
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    metadata = {"name": "a", "managedFields": [1], "annotations": {applied: "hunter2", "b": "c"}}
    (one,), _ = dumped("pods.v1", {"metadata": metadata})
    assert one == {"metadata": {"name": "a", "annotations": {"b": "c"}}}


@pytest.mark.parametrize("odd", [{}, {"metadata": 1}, {"spec": [1]}, {"spec": {"containers": 2}}])
def test_an_object_of_another_shape_stays_as_it_is(odd: object) -> None:
    assert dumped("pods.v1", odd)[0] == [odd]
