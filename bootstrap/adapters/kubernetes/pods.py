"""Have the scheduler place one check pod on each node, and see them run (V-07)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.documents import Document, objects, text
from bootstrap.adapters.kubernetes.failures import ForbiddenError
from bootstrap.adapters.kubernetes.manifests import SERVICE, pod_manifest, service_manifest
from bootstrap.adapters.kubernetes.namespaces import PATH
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.errors import VerifyError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.waiting import NotYet

_CREATE_TIMEOUT_S = 60.0
_RUN_TIMEOUT_S = 180.0
_ENDED = frozenset({"Failed", "Succeeded"})
_NO_IMAGE = frozenset({"ErrImageNeverPull", "InvalidImageName"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPod:
    """A check pod that runs."""

    name: str
    node: str
    address: str


def make_pods(client: Client, pace: Pace, namespace: str, nodes: Sequence[str]) -> None:
    """Make the Service and one pod a node exist."""

    def make() -> None:
        client.create(f"{PATH}/{namespace}/services", service_manifest())
        for index, node in enumerate(nodes):
            _make_pod(client, namespace, f"check-{index}", node)

    pace.wait("the check pods to be accepted", make, timeout_s=_CREATE_TIMEOUT_S)


def _make_pod(client: Client, namespace: str, name: str, node: str) -> None:
    try:
        client.create(f"{PATH}/{namespace}/pods", pod_manifest(name, node=node))
    except ForbiddenError as error:
        # Pods are refused until the controller manager has given a new namespace its
        # default service account.
        if "service account" in str(error) or "serviceaccount" in str(error):
            raise NotYet(str(error)) from error
        raise


def wait_for_pods(client: Client, pace: Pace, namespace: str, nodes: Sequence[str]) -> str:
    """Wait until a pod runs with an address on each of ``nodes``."""

    def running() -> str:
        pending = list(_pending(client, namespace, nodes))
        if pending:
            raise NotYet("; ".join(pending))
        pods = running_pods(client, namespace)
        return "; ".join(f"{pod.node} runs {pod.name} at {pod.address}" for pod in pods)

    return pace.wait("the check pods to run", running, timeout_s=_RUN_TIMEOUT_S)


def running_pods(client: Client, namespace: str) -> tuple[CheckPod, ...]:
    """Give the check pods that run and have an address."""
    return tuple(
        CheckPod(
            name=text(item, "metadata", "name"),
            node=text(item, "spec", "nodeName"),
            address=text(item, "status", "podIP"),
        )
        for item in _pods(client, namespace)
        if text(item, "status", "phase") == "Running" and text(item, "status", "podIP")
    )


def _pods(client: Client, namespace: str) -> Iterator[Document]:
    return objects(client.read(f"{PATH}/{namespace}/pods"), "items")


def _pending(client: Client, namespace: str, nodes: Sequence[str]) -> Iterator[str]:
    by_name = {text(item, "metadata", "name"): item for item in _pods(client, namespace)}
    for index, node in enumerate(nodes):
        name = f"check-{index}"
        item = by_name.get(name)
        if item is None:
            yield f"{node}: pod {name} does not exist"
        elif text(item, "status", "phase") != "Running" or not text(item, "status", "podIP"):
            yield f"{node}: {_reason(item, node)}"
        elif text(item, "spec", "nodeName") != node:
            raise VerifyError(f"the pod for {node} runs on {text(item, 'spec', 'nodeName')}")


def _reason(item: Document, node: str) -> str:
    phase = text(item, "status", "phase") or "without phase"
    if phase in _ENDED:
        raise VerifyError(
            f"{node}: the check program ended: {phase} {text(item, 'status', 'reason')}"
        )
    if not text(item, "spec", "nodeName"):
        return f"{phase}, {_unscheduled(item)}"
    for status in objects(item, "status", "containerStatuses"):
        reason, message = (text(status, "state", "waiting", key) for key in ("reason", "message"))
        if reason in _NO_IMAGE:
            raise VerifyError(f"{node} does not have the image {CHECK_IMAGE} ({reason})")
        if reason:
            return f"{phase}, {reason} {message}".strip()
    return phase


def _unscheduled(item: Document) -> str:
    for condition in objects(item, "status", "conditions"):
        if condition.get("type") == "PodScheduled" and text(condition, "message"):
            return f"not scheduled: {text(condition, 'message')}"
    return "the scheduler has not looked at it"


def service_address(client: Client, namespace: str) -> str:
    """Give the Service's cluster address."""
    return text(client.read(f"{PATH}/{namespace}/services/{SERVICE}"), "spec", "clusterIP")
