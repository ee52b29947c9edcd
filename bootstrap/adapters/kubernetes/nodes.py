"""Compare the registered nodes with the planned ones, and see that CoreDNS is available."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.adapters.kubernetes.client import Client, Document, count, dig, objects, text
from bootstrap.errors import VerifyError
from bootstrap.ports import ExpectedNode
from bootstrap.waiting import NotYet

READY = "Ready"
_DNS_PATH = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node as the API server shows it."""

    name: str
    #: ``Ready``, or the reason why not.
    status: str
    addresses: tuple[str, ...]
    #: As its kubelet reports it, such as ``v1.37.2``.
    kubelet: str

    def __str__(self) -> str:
        addresses = ",".join(self.addresses) or "without address"
        return f"{self.name} {self.status} {addresses} {self.kubelet or 'without version'}"


def read_nodes(client: Client) -> tuple[NodeView, ...]:
    """List the registered nodes in the order of their names."""
    views = [
        NodeView(
            name=text(item, "metadata", "name"),
            status=_status(item),
            addresses=tuple(
                text(address, "address")
                for address in objects(item, "status", "addresses")
                if address.get("type") == "InternalIP"
            ),
            kubelet=text(item, "status", "nodeInfo", "kubeletVersion"),
        )
        for item in objects(client.read("/api/v1/nodes"), "items")
    ]
    return tuple(sorted(views, key=lambda view: view.name))


def _status(item: Document) -> str:
    for condition in objects(item, "status", "conditions"):
        if condition.get("type") == READY:
            if condition.get("status") == "True":
                return READY
            return f"NotReady ({text(condition, 'reason')}: {text(condition, 'message')})"
    return "NotReady (its kubelet has reported nothing)"


def all_nodes(client: Client, expected: Sequence[ExpectedNode]) -> str:
    """See that every node that is on is Ready, then compare it with the plan.

    :raises NotYet: if one is not Ready.
    :raises VerifyError: if an address or the version of a kubelet is wrong.
    """
    views = read_nodes(client)
    names = {view.name for view in views}
    waiting = [f"{node.name} has not joined" for node in expected if node.name not in names]
    # A node that was not planned counts, too: every node is to be Ready.
    off = {node.name for node in expected if node.is_off}
    late = [view for view in views if view.status != READY and view.name not in off]
    waiting += [f"{view.name} {view.status}" for view in late]
    if waiting:
        raise NotYet("; ".join(waiting))
    problems = [*_wrong_addresses(views, expected), *_wrong_kubelets(views, expected)]
    if problems:
        raise VerifyError("; ".join(problems))
    return "; ".join(str(view) for view in views)


def _wrong_addresses(views: Sequence[NodeView], expected: Sequence[ExpectedNode]) -> list[str]:
    found = {view.name: view.addresses for view in views}
    shared = Counter(address for view in views for address in set(view.addresses))
    problems = [
        f"{address} is the InternalIP of {times} nodes"
        for address, times in shared.items()
        if times > 1
    ]
    return problems + [
        f"{node.name} has InternalIP {','.join(found[node.name]) or 'none'}, "
        f"planned is {node.address}"
        for node in expected
        if found[node.name] != (node.address,)
    ]


def _wrong_kubelets(views: Sequence[NodeView], expected: Sequence[ExpectedNode]) -> list[str]:
    found = {view.name: view.kubelet for view in views}
    return [
        f"{node.name} runs kubelet {found[node.name] or 'unknown'}, planned is "
        f"{node.kubelet_version}"
        for node in expected
        if found[node.name] != node.kubelet_version
    ]


def available_dns(client: Client) -> str:
    """See that all replicas of CoreDNS are available.

    :raises NotYet: if one is not.
    """
    deployment = client.read(_DNS_PATH)
    wanted = dig(deployment, "spec", "replicas")
    ready = count(deployment, "status", "availableReplicas")
    observed = count(deployment, "status", "observedGeneration")
    seen = f"CoreDNS {ready} of {wanted} available"
    if observed < count(deployment, "metadata", "generation"):
        raise NotYet("the controller manager has not looked at CoreDNS")
    unavailable = count(deployment, "status", "unavailableReplicas")
    if not isinstance(wanted, int) or ready < max(wanted, 1) or unavailable:
        raise NotYet(seen)
    return seen
