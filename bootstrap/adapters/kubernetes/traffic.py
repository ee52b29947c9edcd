"""Have the check pods resolve and reach each other, asked through the API server's pod proxy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bootstrap.adapters.kubernetes.client import Answer, ApiFailureError, Client, dig, text
from bootstrap.adapters.kubernetes.manifests import PORT, SERVICE
from bootstrap.adapters.kubernetes.pods import PATH, CheckPod, CheckPods
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet

#: kube-proxy programs a new Service with delay, and CoreDNS remembers for up to 30 s that
#: a name did not exist.
TRAFFIC_TIMEOUT_S = 90.0
_POD_TIMEOUT_S = 5
#: The check program refuses to wait longer.
_POD_LONGEST_S = 60
_OK = 200
#: Over 16 KiB, so that no single packet or TLS record carries it (N-16).
_LARGE_BYTES = 20_000

#: One question to one pod: returns what is wrong, or nothing.
Probe = Callable[[], str]


@dataclass(slots=True, kw_only=True)
class Traffic:
    """The check pods in a ring, and the Service that leads to all of them.

    Each method is one look; what it has seen well it does not ask again.
    """

    client: Client
    made: CheckPods
    _names: dict[str, Probe] | None = field(default=None, init=False)
    _paths: dict[str, Probe] | None = field(default=None, init=False)

    def service_name(self) -> str:
        """See the Service's name resolve to its address in every pod."""
        name = f"{SERVICE}.{self.made.namespace}.svc.cluster.local."
        service = self.made.service_address()
        if self._names is None:
            self._names = {
                pod.node: self._resolves(pod, name, service) for pod in self.made.running
            }
        self._ask_open(self._names)
        nodes = ", ".join(pod.node for pod in self.made.running)
        return f"{name} is {service} on {nodes}"

    def pod_to_pod(self) -> str:
        """See every pod reach the next node's pod, the Service, and carry a large body."""
        probes = dict(self._ring())
        if self._paths is None:
            self._paths = dict(probes)
        self._ask_open(self._paths)
        return f"{', '.join(probes)}; large is {_LARGE_BYTES} bytes"

    def _ring(self) -> Iterator[tuple[str, Probe]]:
        pods: Sequence[CheckPod] = self.made.running
        names = {pod.name for pod in pods}
        service = f"http://{self.made.service_address()}/name"
        for pod, peer in zip(pods, [*pods[1:], *pods[:1]], strict=True):
            url = f"http://{peer.address}:{PORT}"
            yield f"{pod.node} to {peer.node}", self._fetches(pod, f"{url}/name", {peer.name})
            yield f"{pod.node} to the Service", self._fetches(pod, service, names)
            large = f"{url}/large?bytes={_LARGE_BYTES}"
            yield f"{pod.node} from {peer.node} (large)", self._fetches_large(pod, large)
            yield f"{pod.node} to this host (large)", self._sends_large(pod)

    def _resolves(self, pod: CheckPod, name: str, service: str) -> Probe:
        def probe() -> str:
            answer = self._ask(pod, "resolve", name=name, timeout=self._pod_timeout)
            is_right = dig(answer.parsed(), "addresses") == [service]
            return "" if is_right else f"resolved to {answer.text[:200]}, wanted {service}"

        return probe

    def _fetches(self, pod: CheckPod, url: str, names: set[str]) -> Probe:
        def probe() -> str:
            body = self._fetched(pod, url)
            return "" if body in names else f"{url}: got {body[:80]!r}"

        return probe

    def _fetches_large(self, pod: CheckPod, url: str) -> Probe:
        return lambda: _large(lambda: self._fetched(pod, url))

    def _sends_large(self, pod: CheckPod) -> Probe:
        size = str(_LARGE_BYTES)
        return lambda: _large(lambda: self._ask(pod, "large", bytes=size).text)

    def _fetched(self, pod: CheckPod, url: str) -> str:
        document = self._ask(pod, "fetch", url=url, timeout=self._pod_timeout).parsed()
        error, status = text(document, "error"), dig(document, "status")
        if error or status != _OK:
            raise NotYet(f"{url}: {error or f'status {status}'}")
        return text(document, "body").strip()

    @property
    def _pod_timeout(self) -> str:
        return str(min(_POD_TIMEOUT_S * self.client.patience, _POD_LONGEST_S))

    def _ask(self, pod: CheckPod, path: str, **query: str) -> Answer:
        base = f"{PATH}/{self.made.namespace}/pods/{pod.name}:{PORT}/proxy"
        return self.client.get(f"{base}/{path}", **query)

    def _ask_open(self, probes: dict[str, Probe]) -> None:
        """Ask all at the same time, and drop those that are well."""
        labels = list(probes)
        seen = at_once(_seen, list(probes.values()), threads=len(labels))
        faults = {label: fault for label, fault in zip(labels, seen, strict=True) if fault}
        for label in labels:
            if label not in faults:
                del probes[label]
        if faults:
            raise NotYet("; ".join(f"{label}: {fault}" for label, fault in faults.items()))


def _seen(probe: Probe) -> str:
    try:
        return probe()
    except (NotYet, ApiFailureError) as error:
        return str(error)


def _large(body: Callable[[], str]) -> str:
    seen = _seen(lambda: "" if (size := len(body())) == _LARGE_BYTES else f"{size} came")
    return seen and (
        f"a body of {_LARGE_BYTES} bytes did not come through ({seen}); "
        "a smaller MTU on the path does this"
    )
