"""Empty a node through the API server: cordon it, evict its pods, unregister it."""

from collections.abc import Collection, Iterator

from bootstrap.adapters.kubernetes.client import (
    ApiFailureError,
    BusyError,
    Client,
    Document,
    MissingError,
    UnansweredError,
    dig,
    objects,
    text,
)
from bootstrap.waiting import NotYet

#: Tells a cordon of ours from one of the user's, which stays.
_CORDONED = "bootstrap.dev/cordoned"
_MIRROR = "kubernetes.io/config.mirror"
_ENDED = frozenset({"Failed", "Succeeded"})
#: Pods that one line names.
_NAMED = 5


def cordon(client: Client, node: str) -> bool:
    """Make the scheduler avoid the node; return whether that changed anything."""
    try:
        known = client.read(_path(node))
    except MissingError:
        return False
    if dig(known, "spec", "unschedulable") is True:
        return False
    _patch(client, node, mark="true", unschedulable=True)
    return True


def uncordon(client: Client, nodes: Collection[str]) -> bool:
    """Undo cordons of ours; return whether there were any."""
    cordoned = [
        text(item, "metadata", "name")
        for item in objects(client.read("/api/v1/nodes"), "items")
        if text(item, "metadata", "annotations", _CORDONED)
    ]
    ours = [name for name in cordoned if name in nodes]
    for name in ours:
        _patch(client, name, mark=None, unschedulable=None)
    return bool(ours)


def evict_pods(client: Client, node: str) -> None:
    """Ask for each pod's eviction.

    :raises NotYet: while a pod is left, with what it waits for.
    """
    left: list[str] = []
    for pod in _pods(client, node):
        namespace, name = (text(pod, "metadata", key) for key in ("namespace", "name"))
        try:
            state = _evict(client, pod, namespace, name)
        except MissingError:
            continue
        except ApiFailureError as error:
            # Not every refusal lasts: a namespace that is being deleted takes no evictions.
            left.insert(0, f"pod {namespace}/{name} on {node}: {error}")
            if isinstance(error, UnansweredError) and not isinstance(error, BusyError):
                break
        else:
            left.append(f"pod {namespace}/{name} on {node} {state}")
    if left:
        more = f"; and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        raise NotYet("; ".join(left[:_NAMED]) + more)


def remove_node(client: Client, node: str) -> None:
    """Delete the node object.

    :raises NotYet: while it is there.
    """
    client.delete(_path(node))
    try:
        client.read(_path(node))
    except MissingError:
        return
    raise NotYet(f"node '{node}' is still registered")


def _path(node: str) -> str:
    return f"/api/v1/nodes/{node}"


def _patch(client: Client, node: str, *, mark: str | None, unschedulable: bool | None) -> None:
    document = {
        "metadata": {"annotations": {_CORDONED: mark}},
        "spec": {"unschedulable": unschedulable},
    }
    client.patch(_path(node), document)


def _pods(client: Client, node: str) -> Iterator[Document]:
    """List the pods that an eviction moves away from the node."""
    found = client.read("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    for pod in objects(found, "items"):
        is_static = _MIRROR in (dig(pod, "metadata", "annotations") or {})
        has_ended = text(pod, "status", "phase") in _ENDED
        if not (is_static or has_ended or _is_of_daemon_set(pod)):
            yield pod


def _is_of_daemon_set(pod: Document) -> bool:
    owners = objects(pod, "metadata", "ownerReferences")
    return any(owner.get("controller") and owner.get("kind") == "DaemonSet" for owner in owners)


def _evict(client: Client, pod: Document, namespace: str, name: str) -> str:
    if dig(pod, "metadata", "deletionTimestamp") is not None:
        return "is ending"
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    }
    client.create(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", eviction)
    return "was asked to end"
