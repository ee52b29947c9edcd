"""An API server on 127.0.0.1 with its own CA, which keeps objects and can be sick in many ways."""

import base64
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
import yaml

Json = dict[str, Any]
VERIFY_LABEL = "bootstrap.dev/verify"
#: What kubectl asks before it asks for nodes.
_DISCOVERY: dict[str, Json] = {
    "api": {"kind": "APIVersions", "versions": ["v1"]},
    "apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "nodes", "singularName": "node", "kind": "Node", "verbs": ["list"]}],
    },
}
#: When the user's certificate ends.
USER_UNTIL = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """Time that passes only in ``sleep``."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def utc(self) -> datetime:
        return NOW + timedelta(seconds=self.now)


def make_ca() -> trustme.CA:
    """Make an authority; all have one name, as those of two clusters do."""
    return trustme.CA(organization_name="kubernetes", organization_unit_name="kubernetes")


def always(_at: float) -> bool:
    return True


def from_second(second: float) -> Callable[[float], bool]:
    """Make something true from a second of the fake clock on."""
    return lambda at: at >= second


#: The version of the kubelets.
KUBELET = "v1.37.2"


@dataclass(kw_only=True)
class FakeNode:
    """A node as the API server knows it; ``ready`` depends on the fake clock."""

    name: str
    address: str
    ready: Callable[[float], bool] = always
    joined: Callable[[float], bool] = always
    tainted: bool = False
    has_check_image: bool = True
    extra_addresses: tuple[str, ...] = ()
    annotations: Json = field(default_factory=dict)
    unschedulable: bool = False
    kubelet: str = KUBELET

    def document(self, at: float) -> Json:
        addresses = [self.address, *self.extra_addresses]
        kubelet = {"reason": "KubeletReady", "message": "kubelet is posting ready status"}
        if not self.ready(at):
            kubelet = {"reason": "KubeletNotReady", "message": "cni plugin not initialized"}
        return {
            "metadata": {
                "name": self.name,
                "labels": {"kubernetes.io/hostname": self.name},
                "annotations": self.annotations,
            },
            # The API server leaves a false one out.
            "spec": {"unschedulable": True} if self.unschedulable else {},
            "status": {
                "nodeInfo": {"kubeletVersion": self.kubelet} if self.kubelet else {},
                "addresses": [
                    *({"type": "InternalIP", "address": address} for address in addresses),
                    {"type": "Hostname", "address": self.name},
                ],
                "conditions": [
                    {"type": "MemoryPressure", "status": "False"},
                    {"type": "Ready", "status": str(self.ready(at)), **kubelet},
                ],
            },
        }


@dataclass(kw_only=True)
class Illness:
    """Everything that can be wrong; the default is a healthy cluster."""

    readyz: Callable[[float], bool] = always
    #: When the process began that answers at this second.
    began: Callable[[float], float] = lambda _at: -3600
    #: Whether the kubelet calls etcd and the API server ready; by default as ``readyz`` says.
    kubelet_says: Callable[[float], bool] | None = None
    #: What the metrics have instead of when the process began.
    metrics: str = ""
    #: Serve this many requests, then cut every connection.
    lives_for: int | None = None
    #: From this second of the fake clock on, cut every connection.
    dies_at: float | None = None
    #: Answer everything with this status as the API server itself would.
    status: int | None = None
    #: Answer everything with this status and a page, as a proxy or a portal would.
    page: int | None = None
    #: Answer /readyz with these words.
    readyz_says: str = "ok"
    #: ``length`` cuts the connection in mid-body, ``json`` ends the document early.
    truncated: str = ""
    hangs: bool = False
    delay_s: float = 0.0
    #: How long each answer takes on the fake clock.
    takes_s: float = 0.0
    #: Answer each n-th request with 503.
    every_nth_fails: int = 0
    #: Refuse /readyz as a starting API server does, until this second.
    roles_made_at: float = 0.0
    coredns_exists: bool = True
    coredns_wanted: int = 2
    coredns_available: Callable[[float], int] = lambda _at: 2
    coredns_unseen: bool = False
    coredns_counts_unavailable: bool = True
    scheduler_dead: bool = False
    service_account_at: float = 0.0
    pods_crash: bool = False
    #: Nodes whose pods never get an address.
    without_pod_address: frozenset[str] = frozenset()
    pod_networks_at: float = 0.0
    dns_fails_on: frozenset[str] = frozenset()
    dns_says: str = ""
    dns_works_at: float = 0.0
    #: Pairs of nodes between which nothing passes.
    cut_between: frozenset[tuple[str, str]] = frozenset()
    service_fails_on: frozenset[str] = frozenset()
    #: Every request reaches this instead of the intended pod.
    wrong_pod_answers: str = ""
    large_fails_on: frozenset[str] = frozenset()
    large_is_short_on: frozenset[str] = frozenset()
    #: Pairs of nodes between which only small packets pass.
    large_cut_between: frozenset[tuple[str, str]] = frozenset()
    namespaces_forbidden: bool = False
    #: Refuse the list of nodes, whatever else is allowed.
    nodes_forbidden: bool = False
    deletion_refused: bool = False
    deletion_ignored: bool = False


@dataclass
class Workload:
    """The users' pods, which end when they are told to, one look later."""

    pods: dict[str, Json] = field(default_factory=dict)
    #: Pod -> the disruption budget that holds it.
    budgets: dict[str, str] = field(default_factory=dict)
    #: Pod -> status and message of the refusal that it always gets.
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    #: Nodes that no longer say what became of their pods.
    silent: set[str] = field(default_factory=set)

    def run(self, name: str, node: str, *, owner: str = "", **status: str) -> Json:
        """Have a pod on a node; ``owner`` is the kind of its controller."""
        owners = [{"kind": owner, "name": name, "controller": True}] if owner else []
        meta = {"name": name, "namespace": "default", "ownerReferences": owners}
        shown: Json = {"metadata": meta, "spec": {"nodeName": node}}
        self.pods[name] = shown | {"status": {"phase": "Running", **status}}
        return self.pods[name]

    def on(self, node: str) -> list[Json]:
        """List a node's pods; those that were ending are gone at the next look."""
        shown = [pod for pod in self.pods.values() if pod["spec"]["nodeName"] == node]
        ending = [pod for pod in shown if "deletionTimestamp" in pod["metadata"]]
        for pod in ending if node not in self.silent else []:
            del self.pods[pod["metadata"]["name"]]
        return shown

    def evict(self, name: str, body: Json) -> tuple[int, str, bytes]:
        """Do what the eviction subresource does."""
        assert (body["apiVersion"], body["kind"]) == ("policy/v1", "Eviction")
        if name not in self.pods:
            return _status(404, f'pods "{name}" not found')
        if name in self.refusals:
            return _status(*self.refusals[name])
        if budget := self.budgets.get(name):
            said = f"The disruption budget {budget} needs 1 healthy pods and has 1 currently"
            cause = {"reason": "DisruptionBudget", "message": said}
            text = "Cannot evict pod as it would violate the pod's disruption budget."
            return _status(429, text, causes=[cause])
        self.pods[name]["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
        return _json(201, {"kind": "Status", "status": "Success"})


def healthy_nodes() -> list[FakeNode]:
    return [
        FakeNode(name="demo-control-plane", address="10.10.0.10", tainted=True),
        FakeNode(name="demo-worker", address="10.10.0.11"),
    ]


@dataclass
class FakeApiServer:
    """The objects, the answers, and a port that is open while the block runs."""

    clock: FakeClock = field(default_factory=FakeClock)
    ill: Illness = field(default_factory=Illness)
    nodes: list[FakeNode] = field(default_factory=healthy_nodes)
    namespaces: dict[str, Json] = field(default_factory=dict)
    pods: dict[str, Json] = field(default_factory=dict)
    services: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    workload: Workload = field(default_factory=Workload)
    #: Nodes whose objects a finalizer keeps.
    kept: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    certificate_address: str = "127.0.0.1"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    speaks_tls: bool = True
    #: Answers a request itself and returns True, before everything that ``ill`` can do.
    raw: Callable[[BaseHTTPRequestHandler], bool] = lambda _handler: False
    #: Changes an answer on its way: method, path, answer.
    on_the_way: Callable[[str, str, tuple[int, str, bytes]], tuple[int, str, bytes]] = (
        lambda _method, _path, answer: answer
    )

    def __post_init__(self) -> None:
        self.ca = make_ca()
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.port = 0

    # --- what the test asks for -----------------------------------------------------

    @contextlib.contextmanager
    def running(self) -> Iterator["FakeApiServer"]:
        listener = _Listener(self)
        self.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            listener.shutdown()
            thread.join()
            listener.server_close()

    def kubeconfig(self, directory: Path, **changes: Json) -> Path:
        """Write the user's kubeconfig; ``changes`` add to ``cluster`` or ``user``."""
        user = self.ca.issue_cert("admin", not_after=USER_UNTIL)
        cluster = {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate-authority-data": _base64(self.ca.cert_pem),
        }
        who = {
            "client-certificate-data": _base64(user.cert_chain_pems[0]),
            "client-key-data": _base64(user.private_key_pem),
        }
        entry = "bootstrap-demo"
        bodies = {
            "cluster": cluster | changes.get("cluster", {}),
            "user": who | changes.get("user", {}),
            "context": {"cluster": entry, "user": entry},
        }
        document: Json = {"apiVersion": "v1", "kind": "Config", "current-context": entry}
        document |= {f"{kind}s": [{"name": entry, kind: body}] for kind, body in bodies.items()}
        path = directory / "kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    # --- answers --------------------------------------------------------------------

    def answer(self, method: str, target: str, body: Json) -> tuple[int, str, bytes]:
        with self.lock:
            self.requests.append(f"{method} {target}")
            self.clock.sleep(self.ill.takes_s)
            url = urlsplit(target)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            sick = self._sick_answer(url.path)
            return sick or self._route(method, url.path.strip("/").split("/"), query, body)

    def is_cut(self) -> bool:
        """Tell whether this request gets no answer at all."""
        spent = self.ill.lives_for is not None and len(self.requests) >= self.ill.lives_for
        return spent or (self.ill.dies_at is not None and self.clock() >= self.ill.dies_at)

    def _sick_answer(self, path: str) -> tuple[int, str, bytes] | None:
        ill = self.ill
        if ill.page:
            return ill.page, "text/html", b"<html><body>Blocked by policy</body></html>"
        if ill.status:
            return _status(ill.status, "the server is sick")
        if ill.every_nth_fails and len(self.requests) % ill.every_nth_fails == 0:
            return _status(503, "apiserver is overloaded")
        if path == "/api/v1/nodes" and ill.nodes_forbidden:
            return _status(403, "nodes is forbidden")
        if path in {"/readyz", "/api/v1/nodes"} and self.clock() < ill.roles_made_at:
            return _status(403, f'forbidden: User "admin" cannot get path "{path}"')
        return None

    def _route(  # noqa: C901, PLR0911, PLR0912 - one line for each path
        self, method: str, parts: list[str], query: dict[str, str], body: Json
    ) -> tuple[int, str, bytes]:
        match method, parts:
            case "GET", ["readyz"]:
                return self._readyz()
            case "GET", ["metrics", "slis"]:
                return self._metrics()
            case "GET", ["api", "v1", "namespaces", "kube-system", "pods"]:
                assert query == {"labelSelector": "component in (etcd,kube-apiserver)"}
                return self._control_plane_pods()
            case "GET", ["version"]:
                return _json(200, {"major": "1", "minor": "37", "gitVersion": "v1.37.2"})
            case "GET", ["api"] | ["apis"] | ["api", "v1"]:
                return _json(200, _DISCOVERY["/".join(parts)])
            case "GET", ["api", "v1", "nodes"]:
                at = self.clock()
                nodes = [node.document(at) for node in self.nodes if node.joined(at)]
                return _json(200, {"kind": "NodeList", "apiVersion": "v1", "items": nodes})
            case "GET", ["api", "v1", "nodes", name, "proxy", "stats", "summary"]:
                return self._summary(name, query)
            case _, ["api", "v1", "nodes", name]:
                return self._node(method, name, body)
            case _, ["api", "v1", "pods"] | ["api", "v1", "namespaces", _, "pods", _, "eviction"]:
                return self._users_pods(parts, query, body)
            case "GET", ["apis", "apps", "v1", "namespaces", "kube-system", "deployments", _]:
                return self._coredns()
            case "POST", ["api", "v1", "namespaces", "kube-system", "secrets"]:
                return self._store(self.secrets, body["metadata"]["name"], body)
            case "DELETE", ["api", "v1", "namespaces", "kube-system", "secrets", name]:
                return self._remove(self.secrets, name)
            case _, ["api", "v1", "namespaces"]:
                return self._namespaces(method, query, body)
            case _, ["api", "v1", "namespaces", name]:
                return self._namespace(method, name)
            case _, ["api", "v1", "namespaces", namespace, kind, *rest]:
                return self._in_namespace(method, namespace, [kind, *rest], query, body)
            case _:
                return _status(404, "the server could not find the requested resource")

    def _readyz(self) -> tuple[int, str, bytes]:
        if self.ill.readyz(self.clock()):
            return 200, "text/plain", self.ill.readyz_says.encode()
        return (
            500,
            "text/plain",
            b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n",
        )

    def _metrics(self) -> tuple[int, str, bytes]:
        began = NOW.timestamp() + self.ill.began(self.clock())
        said = self.ill.metrics or f"process_start_time_seconds {began}\n"
        return 200, "text/plain", f"# TYPE process_start_time_seconds gauge\n{said}".encode()

    def _control_plane_pods(self) -> tuple[int, str, bytes]:
        says, at = self.ill.kubelet_says or self.ill.readyz, self.clock()
        # The kubelet looks every second, and remembers since when it sees the same.
        others = (second for second in range(3600) if says(at - second) != says(at))
        since = NOW + timedelta(seconds=at - next(others, 3600))
        condition = {
            "type": "Ready",
            "status": str(says(at)),
            "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        items = [
            {
                "metadata": {"name": f"{name}-demo", "labels": {"component": name}},
                "status": {"conditions": [condition]},
            }
            for name in ("etcd", "kube-apiserver")
        ]
        return _json(200, {"items": items})

    def _coredns(self) -> tuple[int, str, bytes]:
        if not self.ill.coredns_exists:
            return _status(404, 'deployments.apps "coredns" not found')
        available = self.ill.coredns_available(self.clock())
        status = {"observedGeneration": 0 if self.ill.coredns_unseen else 1}
        if available:
            status["availableReplicas"] = available
        if self.ill.coredns_counts_unavailable and available < self.ill.coredns_wanted:
            status["unavailableReplicas"] = self.ill.coredns_wanted - available
        spec = {"replicas": self.ill.coredns_wanted}
        return _json(200, {"metadata": {"generation": 1}, "spec": spec, "status": status})

    # --- objects --------------------------------------------------------------------

    def _node(self, method: str, name: str, body: Json) -> tuple[int, str, bytes]:
        node = next((node for node in self.nodes if node.name == name), None)
        if node is None:
            return _status(404, f'nodes "{name}" not found')
        if method == "DELETE" and name not in self.kept:
            self.nodes.remove(node)
        if method == "PATCH":
            # A merge patch: what is null goes.
            changed = node.annotations | body["metadata"]["annotations"]
            node.annotations = {key: text for key, text in changed.items() if text is not None}
            node.unschedulable = bool(body["spec"]["unschedulable"])
        return _json(200, node.document(self.clock()))

    def _users_pods(
        self, parts: list[str], query: dict[str, str], body: Json
    ) -> tuple[int, str, bytes]:
        if parts[-1] == "eviction":
            return self.workload.evict(parts[-2], body)
        if "fieldSelector" not in query:
            return _json(200, {"kind": "PodList", "items": list(self.workload.pods.values())})
        node = query["fieldSelector"].removeprefix("spec.nodeName=")
        return _json(200, {"kind": "PodList", "items": self.workload.on(node)})

    def _summary(self, name: str, query: dict[str, str]) -> tuple[int, str, bytes]:
        """Answer as the API server that asks a kubelet."""
        assert query == {"only_cpu_and_memory": "true"}
        node = next((node for node in self.nodes if node.name == name), None)
        if node is None or not node.ready(self.clock()):
            return _status(503, "error trying to reach service: connection refused")
        use = {"cpu": {"usageNanoCores": 250_000_000}, "memory": {"workingSetBytes": 734_003_200}}
        return _json(200, {"node": {"nodeName": name, **use}})

    @staticmethod
    def _store(objects: dict[str, Json], name: str, body: Json) -> tuple[int, str, bytes]:
        if name in objects:
            return _status(409, f'"{name}" already exists')
        objects[name] = body
        return _json(201, body)

    @staticmethod
    def _remove(objects: dict[str, Json], name: str) -> tuple[int, str, bytes]:
        if objects.pop(name, None) is None:
            return _status(404, f'"{name}" not found')
        return _json(200, {"kind": "Status", "status": "Success"})

    def add_namespace(self, name: str, *, age: timedelta, labelled: bool = True) -> None:
        labels = {VERIFY_LABEL: "true"} if labelled else {}
        created = (self.clock.utc() - age).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.namespaces[name] = {
            "metadata": {"name": name, "labels": labels, "creationTimestamp": created}
        }

    def _namespaces(self, method: str, query: dict[str, str], body: Json) -> tuple[int, str, bytes]:
        if method == "GET":
            label, _, value = query["labelSelector"].partition("=")
            found = self.namespaces.values()
            items = [item for item in found if item["metadata"]["labels"].get(label) == value]
            return _json(200, {"items": items})
        if self.ill.namespaces_forbidden:
            return _status(403, "namespaces is forbidden")
        body["metadata"]["creationTimestamp"] = self.clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._store(self.namespaces, body["metadata"]["name"], body)

    def _namespace(self, method: str, name: str) -> tuple[int, str, bytes]:
        if name not in self.namespaces:
            return _status(404, f'namespaces "{name}" not found')
        if method == "DELETE":
            if self.ill.deletion_refused:
                return _status(403, f'namespaces "{name}" is forbidden: no deleting today')
            if not self.ill.deletion_ignored:
                self.namespaces[name]["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
        return _json(200, self.namespaces[name])

    def _in_namespace(  # noqa: PLR0911 - one line for each path
        self, method: str, namespace: str, parts: list[str], query: dict[str, str], body: Json
    ) -> tuple[int, str, bytes]:
        if namespace not in self.namespaces:
            return _status(404, f'namespaces "{namespace}" not found')
        match method, parts:
            case "POST", ["services"]:
                body["spec"]["clusterIP"] = "10.96.7.7"
                return self._store(self.services, body["metadata"]["name"], body)
            case "GET", ["services", name]:
                return _json(200, self.services[name])
            case "POST", ["pods"]:
                return self._make_pod(namespace, body)
            case "GET", ["pods"]:
                return _json(200, {"items": [self._pod_now(pod) for pod in self.pods.values()]})
            case "GET", ["pods", target, "proxy", path]:
                return self._check_program(namespace, target, path, query)
            case _:
                return _status(404, "the server could not find the requested resource")

    def _make_pod(self, namespace: str, body: Json) -> tuple[int, str, bytes]:
        if self.clock() < self.ill.service_account_at:
            said = f"error looking up service account {namespace}/default: not found"
            return _status(403, f'pods "{body["metadata"]["name"]}" is forbidden: {said}')
        return self._store(self.pods, body["metadata"]["name"], body)

    # --- scheduler, kubelet, check program ------------------------------------------

    def _pod_now(self, pod: Json) -> Json:
        node = self._placed(pod)
        if node is None:
            return pod | {"status": {"phase": "Pending"}}
        shown = pod | {"spec": pod["spec"] | {"nodeName": node.name}}
        waiting = {}
        if not node.ready(self.clock()) or self.clock() < self.ill.pod_networks_at:
            waiting = {"reason": "ContainerCreating"}
        if not node.has_check_image:
            waiting = {"reason": "ErrImageNeverPull", "message": "image is not present"}
        if waiting:
            states = [{"state": {"waiting": waiting}}]
            return shown | {"status": {"phase": "Pending", "containerStatuses": states}}
        if self.ill.pods_crash:
            return shown | {"status": {"phase": "Failed", "reason": "Error"}}
        address = "" if node.name in self.ill.without_pod_address else self._address(node)
        return shown | {"status": {"phase": "Running", "podIP": address}}

    def _placed(self, pod: Json) -> FakeNode | None:
        spec = pod["spec"]
        by_name = {node.name: node for node in self.nodes if node.joined(self.clock())}
        if "nodeName" in spec:
            return by_name.get(spec["nodeName"])
        if self.ill.scheduler_dead:
            return None
        affinity = spec["affinity"]["nodeAffinity"]
        (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        (wanted,) = term["matchExpressions"]
        node = by_name.get(wanted["values"][0])
        tolerates = {"operator": "Exists"} in spec.get("tolerations", [])
        return node if node and (tolerates or not node.tainted) else None

    def _address(self, node: FakeNode) -> str:
        return f"10.244.{self.nodes.index(node)}.5"

    def _check_program(
        self, namespace: str, target: str, path: str, query: dict[str, str]
    ) -> tuple[int, str, bytes]:
        name, _, port = target.partition(":")
        node = self._placed(self.pods[name])
        if node is None or port != "8080":
            return _status(503, "error trying to reach service: connection refused")
        match path:
            case "resolve":
                return self._resolve(namespace, node, query["name"])
            case "fetch":
                peer = self._peer(node, query["url"])
                if peer is None:
                    return _json(200, {"status": 0, "body": "", "error": "dial tcp: i/o timeout"})
                return _json(200, {"status": 200, "body": peer, "error": ""})
            case "large":
                return self._large(node, int(query["bytes"]))
            case _:
                return 200, "text/plain", name.encode()

    def _resolve(self, namespace: str, node: FakeNode, name: str) -> tuple[int, str, bytes]:
        works = node.name not in self.ill.dns_fails_on and self.clock() >= self.ill.dns_works_at
        if not works or name != f"check.{namespace}.svc.cluster.local.":
            return _json(200, {"addresses": [], "error": "lookup: i/o timeout"})
        return _json(200, {"addresses": [self.ill.dns_says or "10.96.7.7"], "error": ""})

    def _peer(self, node: FakeNode, url: str) -> str | None:
        if self.ill.wrong_pod_answers:
            return self.ill.wrong_pod_answers
        if url == "http://10.96.7.7/name":
            works = self.services["check"]["spec"]["ports"] == [{"port": 80, "targetPort": 8080}]
            is_broken = node.name in self.ill.service_fails_on or not works
            return None if is_broken else next(iter(self.pods))
        for name, pod in self.pods.items():
            other = self._placed(pod)
            if not other or not url.startswith(f"http://{self._address(other)}:8080/"):
                continue
            cut, size = self.ill.cut_between, url.partition("/large?bytes=")[2]
            if size:
                cut |= self.ill.large_cut_between
            return None if (node.name, other.name) in cut else "x" * int(size or 0) or name
        return None

    def _large(self, node: FakeNode, size: int) -> tuple[int, str, bytes]:
        if node.name in self.ill.large_fails_on:
            return _status(503, "error trying to reach service: i/o timeout")
        short = 1300 if node.name in self.ill.large_is_short_on else size
        return 200, "text/plain", b"x" * short


def _base64(pem: trustme.Blob) -> str:
    return base64.b64encode(pem.bytes()).decode()


def _json(status: int, document: Json) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(document).encode()


def _status(code: int, message: str, *, causes: Sequence[Json] = ()) -> tuple[int, str, bytes]:
    document = {"kind": "Status", "status": "Failure", "message": message, "code": code}
    return _json(code, document | {"details": {"causes": list(causes)}})


class _Listener(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, fake: FakeApiServer) -> None:
        self.fake = fake
        self.context = _tls_context(fake) if fake.speaks_tls else None
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[Any, Any]:
        plain, address = super().get_request()
        if self.context is None:
            return plain, address
        return self.context.wrap_socket(
            plain, server_side=True, do_handshake_on_connect=False
        ), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


def _tls_context(fake: FakeApiServer) -> ssl.SSLContext:
    server = fake.ca.issue_cert(
        fake.certificate_address, not_before=fake.valid_from, not_after=fake.valid_until
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.configure_cert(context)
    fake.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5
    server: _Listener

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        if self.headers["Content-Type"] != "application/merge-patch+json":
            self._send(*_status(415, "the body of the request was in an unknown format"), cut="")
            return
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        fake = self.server.fake
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        if fake.ill.hangs or fake.ill.delay_s:
            fake.released.wait(None if fake.ill.hangs else fake.ill.delay_s)
        if fake.is_cut() or fake.raw(self):
            self.close_connection = True
            return
        answer = fake.answer(self.command, self.path, body)
        self._send(*fake.on_the_way(self.command, self.path, answer), cut=fake.ill.truncated)

    def _send(self, status: int, content_type: str, body: bytes, *, cut: str) -> None:
        sent = body[:-2] if cut and self.path != "/readyz" else body
        if cut == "length":
            sent = body[:-1]
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body if cut == "length" else sent)))
        self.end_headers()
        self.wfile.write(sent)
        self.close_connection = self.close_connection or cut == "length"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Give the time of the fake clock, as the cluster's own clock."""
        return super().date_time_string(timestamp or self.server.fake.clock.utc().timestamp())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Say nothing."""
