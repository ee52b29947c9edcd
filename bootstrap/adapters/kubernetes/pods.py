"""Have the scheduler place one check pod on each node, in a namespace of its own (V-07)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bootstrap.adapters.kubernetes.client import (
    ApiFailureError,
    Client,
    Document,
    ForbiddenError,
    MissingError,
    dig,
    objects,
    text,
)
from bootstrap.adapters.kubernetes.manifests import (
    LABEL,
    SERVICE,
    namespace_manifest,
    pod_manifest,
    service_manifest,
)
from bootstrap.errors import VerifyError
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet

PREFIX = "bootstrap-verify-"
PATH = "/api/v1/namespaces"
_OLD = timedelta(hours=1)
_ENDED = frozenset({"Failed", "Succeeded"})
_NO_IMAGE = frozenset({"ErrImageNeverPull", "InvalidImageName"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPod:
    """A check pod that runs."""

    name: str
    node: str
    address: str

    def __str__(self) -> str:
        return f"{self.node} runs {self.name} at {self.address}"


@dataclass(slots=True, kw_only=True)
class CheckPods:
    """One check pod for each of ``nodes``, and the Service that leads to all of them."""

    client: Client
    namespace: str
    nodes: Sequence[str]
    #: The pods, in the order of the nodes, once all run.
    running: tuple[CheckPod, ...] = ()
    #: Whether the namespace may exist.
    is_begun: bool = False
    _remark: str | None = None
    _are_made: bool = False

    def look(self) -> str:
        """Make what is missing, and return where all pods run, with a remark on leftovers.

        :raises NotYet: while one does not run or has no address.
        :raises VerifyError: if one never will.
        """
        self.is_begun = True
        if not self._are_made:
            self.client.create(PATH, namespace_manifest(self.namespace))
            _make(self.client, self.namespace, self.nodes)
            self._are_made = True
        if self._remark is None:  # while the pods start
            self._remark = _leftovers_removed(self.client, self.namespace)
        self.running = _running(self.client, self.namespace, self.nodes)
        return "; ".join(map(str, self.running)) + self._remark

    def service_address(self) -> str:
        """Return the cluster address of the Service."""
        service = self.client.read(f"{PATH}/{self.namespace}/services/{SERVICE}")
        return text(service, "spec", "clusterIP")


def _leftovers_removed(client: Client, ours: str) -> str:
    """Return a remark on what earlier runs left, or nothing."""
    try:
        return _remove_leftovers(client, ours)
    except (ApiFailureError, ValueError) as error:
        # A leftover is no reason to call a cluster sick.
        return f"; leftovers of earlier runs were not removed: {error}"


def _remove_leftovers(client: Client, ours: str) -> str:
    # Killed runs left these over an hour ago; a younger one may be in use. The age is
    # counted to the making of our own, so that only the API server's clock counts.
    found = client.read(PATH, labelSelector=f"{LABEL}=true")
    created = {
        text(item, "metadata", "name"): datetime.fromisoformat(
            text(item, "metadata", "creationTimestamp")
        )
        for item in objects(found, "items")
    }
    old = [
        name
        for name, at in created.items()
        if name.startswith(PREFIX) and created.get(ours, at) - at > _OLD
    ]
    for name in old:
        client.delete(f"{PATH}/{name}")
    return f"; removed {len(old)} left by earlier runs" if old else ""


def remove_namespace(client: Client, name: str) -> str:
    """Have the namespace deleted and see that the API server has begun.

    :raises NotYet: if it has not.
    """
    client.delete(f"{PATH}/{name}")
    try:
        document = client.read(f"{PATH}/{name}")
    except MissingError:
        return f"namespace '{name}' is gone"
    if dig(document, "metadata", "deletionTimestamp") is None:
        raise NotYet(f"namespace '{name}' is still there")
    return f"namespace '{name}' is being deleted"


def _make(client: Client, namespace: str, nodes: Sequence[str]) -> None:
    base = f"{PATH}/{namespace}"
    pods = [pod_manifest(_name(nodes, node), node=node) for node in nodes]
    wanted = [(f"{base}/services", service_manifest()), *((f"{base}/pods", pod) for pod in pods)]
    try:
        at_once(lambda one: client.create(*one), wanted)
    except ForbiddenError as error:
        # Pods are refused until the controller manager has given a new namespace its
        # default service account.
        if "service account" in str(error):
            raise NotYet(str(error)) from error
        raise


def _name(nodes: Sequence[str], node: str) -> str:
    return f"check-{nodes.index(node)}"


def _running(client: Client, namespace: str, nodes: Sequence[str]) -> tuple[CheckPod, ...]:
    items = objects(client.read(f"{PATH}/{namespace}/pods"), "items")
    by_name = {text(item, "metadata", "name"): item for item in items}
    pods, pending = [], []
    for node in nodes:
        name = _name(nodes, node)
        item = by_name.get(name, {})
        address = text(item, "status", "podIP")
        if not item:
            pending.append(f"{node}: pod {name} does not exist")
        elif text(item, "status", "phase") != "Running" or not address:
            pending.append(f"{node}: {_reason(item, node)}")
        elif (at := text(item, "spec", "nodeName")) != node:
            raise VerifyError(f"the pod for {node} runs on {at}")
        else:
            pods.append(CheckPod(name=name, node=node, address=address))
    if pending:
        raise NotYet("; ".join(pending))
    return tuple(pods)


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
