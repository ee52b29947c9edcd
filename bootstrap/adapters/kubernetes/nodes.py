"""Read the registered nodes and compare them with the planned ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.documents import Document, objects, text
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.errors import VerifyError
from bootstrap.ports import ExpectedNode
from bootstrap.waiting import NotYet

READY = "Ready"
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node as the API server shows it."""

    name: str
    #: ``Ready``, or the reason why not.
    status: str
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.status} {','.join(self.addresses) or 'without address'}"


def read_nodes(client: Client) -> tuple[NodeView, ...]:
    """Give every registered node by name."""
    views = [_view(item) for item in objects(client.read("/api/v1/nodes"), "items")]
    return tuple(sorted(views, key=lambda view: view.name))


def all_nodes(client: Client, pace: Pace, expected: Sequence[ExpectedNode]) -> str:
    """Wait until every node is Ready, then hold the addresses against the plan."""

    def ready() -> tuple[NodeView, ...]:
        views = read_nodes(client)
        waiting = _not_ready(views, expected)
        if waiting:
            raise NotYet("; ".join(waiting))
        return views

    views = pace.wait("the nodes to be Ready", ready, timeout_s=_TIMEOUT_S)
    problems = _wrong_addresses(views, expected)
    if problems:
        raise VerifyError("; ".join(problems))
    return "; ".join(str(view) for view in views)


def _view(item: Document) -> NodeView:
    return NodeView(
        name=text(item, "metadata", "name"),
        status=_status(item),
        addresses=tuple(
            text(address, "address")
            for address in objects(item, "status", "addresses")
            if address.get("type") == "InternalIP"
        ),
    )


def _status(item: Document) -> str:
    for condition in objects(item, "status", "conditions"):
        if condition.get("type") == READY:
            if condition.get("status") == "True":
                return READY
            return f"NotReady ({text(condition, 'reason')}: {text(condition, 'message')})"
    return "NotReady (its kubelet has reported nothing)"


def _not_ready(views: Sequence[NodeView], expected: Sequence[ExpectedNode]) -> list[str]:
    # A node that nobody planned counts too: "every node Ready" is the promise.
    registered = {view.name for view in views}
    missing = [f"{node.name} has not joined" for node in expected if node.name not in registered]
    return missing + [f"{view.name} {view.status}" for view in views if view.status != READY]


def _wrong_addresses(views: Sequence[NodeView], expected: Sequence[ExpectedNode]) -> list[str]:
    by_name = {view.name: view for view in views}
    shared = Counter(address for view in views for address in set(view.addresses))
    problems = [
        f"{address} is the InternalIP of {times} nodes"
        for address, times in shared.items()
        if times > 1
    ]
    return problems + [
        f"{node.name} has InternalIP {','.join(by_name[node.name].addresses) or 'none'}, "
        f"planned is {node.address}"
        for node in expected
        if by_name[node.name].addresses != (node.address,)
    ]
