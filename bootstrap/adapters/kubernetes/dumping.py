"""Read all objects of a kind for a reader, without what is secret or says nothing."""

import json
from collections.abc import Iterator
from typing import Any

from bootstrap.adapters.kubernetes.client import Client, dig, objects

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_REMOVED = "(removed)"
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def dump(client: Client, resource: str) -> str:
    """Return the objects of a resource, named as ``deployments.v1.apps``, as JSON."""
    name, version, *group = resource.split(".", 2)
    root = f"/apis/{group[0]}/{version}" if group else f"/api/{version}"
    found = list(objects(client.read(f"{root}/{name}"), "items"))
    for one in found:
        _clean(one)
    return json.dumps({"items": found}, indent=1) + "\n"


def _clean(one: Any) -> None:  # noqa: ANN401 - JSON has no type of its own
    """Remove the values of variables, and what repeats the object."""
    metadata = dig(one, "metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            annotations.pop(_LAST_APPLIED, None)
    for container in _containers(one):
        for variable in objects(container, "env"):
            if "value" in variable:
                variable["value"] = _REMOVED  # type: ignore[index] # it is a dict of JSON


def _containers(one: object) -> Iterator[object]:
    for spec in (("spec",), ("spec", "template", "spec")):
        for kind in _CONTAINERS:
            yield from objects(one, *spec, kind)
