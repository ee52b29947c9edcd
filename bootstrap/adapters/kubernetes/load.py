"""What runs on the nodes: pods, and the load as the kubelets tell it."""

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import quote

from bootstrap.adapters.kubernetes.client import (
    BusyError,
    Client,
    Document,
    ForbiddenError,
    MissingError,
    count,
    objects,
    text,
)
from bootstrap.ports import NodeUse, PodState
from bootstrap.threads import at_once

_NANO = 10**9


def read_pods(client: Client) -> Sequence[PodState]:
    """List the pods of all namespaces by name."""
    found = [
        PodState(
            name=text(item, "metadata", "name"),
            node=text(item, "spec", "nodeName"),
            state=_state(item),
        )
        for item in objects(client.read("/api/v1/pods"), "items")
    ]
    return sorted(found, key=lambda pod: pod.name)


def read_use(client: Client, nodes: Collection[str]) -> Mapping[str, NodeUse]:
    """Ask all kubelets at the same time; one that does not say is left out."""
    names = sorted(nodes)
    answers = at_once(lambda name: _use(client, name), names)
    return {name: use for name, use in zip(names, answers, strict=True) if use is not None}


def _use(client: Client, node: str) -> NodeUse | None:
    path = f"/api/v1/nodes/{quote(node, safe='')}/proxy/stats/summary"
    try:
        summary = client.read(path, only_cpu_and_memory="true")
    except (BusyError, MissingError, ForbiddenError):
        # It is the kubelet that does not say; what the API server itself does not is raised.
        return None
    memory = count(summary, "node", "memory", "workingSetBytes")
    if not memory:
        return None
    return NodeUse(
        cpus=count(summary, "node", "cpu", "usageNanoCores") / _NANO, memory_bytes=memory
    )


def _state(item: Document) -> str:
    if text(item, "metadata", "deletionTimestamp"):
        return "Terminating"
    for status in objects(item, "status", "containerStatuses"):
        for moment in ("waiting", "terminated"):
            if reason := text(status, "state", moment, "reason"):
                return reason
    return text(item, "status", "reason") or text(item, "status", "phase") or "Unknown"
