"""Tell whether the cluster's DNS servers are all available."""

from bootstrap.adapters.kubernetes.client import Client
from bootstrap.adapters.kubernetes.documents import Document, count, dig
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.waiting import NotYet

_TIMEOUT_S = 180.0
_PATH = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"


def available_dns(client: Client, pace: Pace) -> str:
    """Wait until every replica that CoreDNS wants is available."""
    return pace.wait("CoreDNS", lambda: _evidence(client.read(_PATH)), timeout_s=_TIMEOUT_S)


def _evidence(deployment: Document) -> str:
    wanted = dig(deployment, "spec", "replicas")
    available = count(deployment, "status", "availableReplicas")
    seen = f"CoreDNS {available} of {wanted} available"
    if count(deployment, "status", "observedGeneration") < count(
        deployment, "metadata", "generation"
    ):
        raise NotYet("the controller manager has not looked at CoreDNS")
    unavailable = count(deployment, "status", "unavailableReplicas")
    if not isinstance(wanted, int) or available < max(wanted, 1) or unavailable:
        raise NotYet(seen)
    return seen
