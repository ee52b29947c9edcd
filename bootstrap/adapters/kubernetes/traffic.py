"""Have the check pods resolve and reach each other, asked through the API server's pod proxy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.adapters.kubernetes.client import Answer, Client
from bootstrap.adapters.kubernetes.documents import dig, text
from bootstrap.adapters.kubernetes.failures import ApiFailureError
from bootstrap.adapters.kubernetes.manifests import PORT, SERVICE
from bootstrap.adapters.kubernetes.namespaces import PATH
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.adapters.kubernetes.pods import CheckPod
from bootstrap.waiting import NotYet

# kube-proxy programs a new Service with delay, and CoreDNS remembers for up to 30 s that
# a name did not exist.
_TIMEOUT_S = 90.0
_POD_TIMEOUT_S = 5
#: The check program refuses to wait longer.
_POD_LONGEST_S = 60
_OK = 200
#: Over 16 KiB, so that no single packet or TLS record carries it (N-16).
_LARGE_BYTES = 20_000

Probe = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The check pods in a ring, and the Service that leads to all of them."""

    client: Client
    pace: Pace
    namespace: str
    service_ip: str
    pods: Sequence[CheckPod]

    def service_name(self) -> str:
        """See the Service's name resolve to its address in every pod."""
        name = f"{SERVICE}.{self.namespace}.svc.cluster.local."
        probes = {pod.node: self._resolves(pod, name) for pod in self.pods}
        self._all("every pod to resolve the Service's name", probes)
        return f"{name} is {self.service_ip} on {', '.join(probes)}"

    def pod_to_pod(self) -> str:
        """See every pod reach the next node's pod, the Service, and carry a large body."""
        probes = dict(self._ring())
        self._all("the pods to reach each other", probes)
        return f"{', '.join(probes)}; large is {_LARGE_BYTES} bytes"

    def _ring(self) -> Iterator[tuple[str, Probe]]:
        following = [*self.pods[1:], *self.pods[:1]]
        names = {pod.name for pod in self.pods}
        service = f"http://{self.service_ip}/name"
        for pod, peer in zip(self.pods, following, strict=True):
            url = f"http://{peer.address}:{PORT}/name"
            yield f"{pod.node} to {peer.node}", self._fetches(pod, url, {peer.name})
            yield f"{pod.node} to the Service", self._fetches(pod, service, names)
            yield f"{pod.node} from {peer.node} (large)", self._carries_from(pod, peer)
            yield f"{pod.node} to this host (large)", self._carries(pod)

    def _resolves(self, pod: CheckPod, name: str) -> Probe:
        def probe() -> None:
            answer = self._proxied(pod, "resolve", name=name, timeout=self._pod_timeout)
            if dig(answer.parsed(), "addresses") != [self.service_ip]:
                raise NotYet(f"resolved to {answer.text[:200]}, wanted {self.service_ip}")

        return probe

    def _fetches(self, pod: CheckPod, url: str, names: set[str]) -> Probe:
        def probe() -> None:
            body = self._fetched(pod, url)
            if body not in names:
                raise NotYet(f"{url}: got {body[:80]!r}")

        return probe

    def _carries(self, pod: CheckPod) -> Probe:
        def probe() -> None:
            try:
                body = self._proxied(pod, "large", bytes=str(_LARGE_BYTES)).body
            except ApiFailureError as error:
                raise _mtu(str(error)) from error
            _whole(len(body))

        return probe

    def _carries_from(self, pod: CheckPod, peer: CheckPod) -> Probe:
        url = f"http://{peer.address}:{PORT}/large?bytes={_LARGE_BYTES}"

        def probe() -> None:
            try:
                body = self._fetched(pod, url)
            except (NotYet, ApiFailureError) as error:
                raise _mtu(str(error)) from error
            _whole(len(body))

        return probe

    def _fetched(self, pod: CheckPod, url: str) -> str:
        document = self._proxied(pod, "fetch", url=url, timeout=self._pod_timeout).parsed()
        error, status = text(document, "error"), dig(document, "status")
        if error or status != _OK:
            raise NotYet(f"{url}: {error or f'status {status}'}")
        return text(document, "body").strip()

    @property
    def _pod_timeout(self) -> str:
        return str(min(_POD_TIMEOUT_S * self.pace.patience, _POD_LONGEST_S))

    def _proxied(self, pod: CheckPod, path: str, **query: str) -> Answer:
        base = f"{PATH}/{self.namespace}/pods/{pod.name}:{PORT}/proxy"
        return self.client.get(f"{base}/{path}", **query)

    def _all(self, description: str, probes: Mapping[str, Probe]) -> None:
        pending = dict(probes)

        def look() -> None:
            failed = {label: _failure(probe) for label, probe in pending.items()}
            for label, seen in failed.items():
                if seen is None:
                    del pending[label]
            if pending:
                raise NotYet("; ".join(f"{label}: {failed[label]}" for label in pending))

        self.pace.wait(description, look, timeout_s=_TIMEOUT_S)


def _whole(size: int) -> None:
    if size != _LARGE_BYTES:
        raise _mtu(f"{size} came")


def _mtu(seen: str) -> NotYet:
    return NotYet(
        f"a body of {_LARGE_BYTES} bytes did not come through ({seen}); "
        "a smaller MTU on the path does this"
    )


def _failure(probe: Probe) -> str | None:
    try:
        probe()
    except (NotYet, ApiFailureError) as error:
        return str(error)
    return None
