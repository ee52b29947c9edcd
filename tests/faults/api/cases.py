"""Randomly drawn clusters, healthy or sick, and the verdict that each must get."""

import json
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from bootstrap.ports import ExpectedNode
from tests.fakes.api_server import FakeApiServer, FakeNode, Illness, from_second

CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
ALL = frozenset(CHECKS)
NAME, PODS = frozenset({"service name"}), frozenset({"pod to pod"})
#: The checks that need a check pod on each node.
RUNNING = frozenset({"pods"}) | NAME | PODS
NODES, DNS, STEADY = frozenset({"nodes"}), frozenset({"dns"}), frozenset({"steady"})
CLEAN_UP, ANY = frozenset({"clean-up"}), frozenset({"at least one"})
_LEFT = "bootstrap-verify-"
_PROXIES = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"]

Answer = tuple[int, str, bytes]


@dataclass(kw_only=True)
class Case:
    """One cluster; the default is a healthy one."""

    dice: random.Random
    ill: Illness = field(default_factory=Illness)
    server: FakeApiServer = field(init=False)
    nodes: list[FakeNode] = field(init=False)
    expected: list[ExpectedNode] = field(init=False)
    patience: int = field(init=False)
    not_ok: frozenset[str] = frozenset()
    #: Words that the first check that fails must say.
    words: str = ""
    call_timeout_s: float = 30.0
    #: How far this host's clock is from the cluster's.
    skew: timedelta = timedelta()
    #: Another server, which must not be asked; its port is set when it runs.
    decoy: FakeApiServer | None = None
    environment: dict[str, str] = field(default_factory=dict)
    foreign_ca: bool = False
    leftovers: dict[str, timedelta] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = self.dice.randint(1, 5)
        names = ["demo-control-plane", "demo-worker", *(f"demo-worker{i}" for i in range(2, 9))]
        self.nodes = [
            FakeNode(name=name, address=f"10.10.0.{10 + index}", tainted=index == 0)
            for index, name in enumerate(names[:count])
        ]
        self.expected = [
            ExpectedNode(name=it.name, address=it.address, kubelet_version=it.kubelet)
            for it in self.nodes
        ]
        self.patience = self.dice.choice([1, 6])
        self.server = FakeApiServer(ill=self.ill, nodes=self.dice.sample(self.nodes, count))
        number = self.dice.getstate()[1][0] % count
        self.victim = self.nodes[number]
        #: The victim and the node after it, which is itself if it is alone.
        self.pair = (self.victim.name, self.nodes[(number + 1) % count].name)

    def late(self, most: float) -> float:
        """Draw a moment within the time that a check has."""
        return self.dice.uniform(0, most * 0.8 * self.patience)

    def hours(self, most: int) -> timedelta:
        return timedelta(hours=self.dice.randint(1, most))

    def add_node(self, address: str = "10.10.0.99", **changes: Any) -> None:
        self.server.nodes.append(FakeNode(name="demo-extra", address=address, **changes))


Make = Callable[[Case], object]
#: Answers a request in the server's place.
Act = Callable[[Case, BaseHTTPRequestHandler], object]


def _drawn(**draws: Callable[[Case], object]) -> Make:
    """Draw values for the case, the illness or the server, whichever has the name."""

    def make(case: Case) -> None:
        for name, draw in draws.items():
            (owner,) = [one for one in (case, case.ill, case.server) if hasattr(one, name)]
            setattr(owner, name, draw(case))

    return make


# --- clusters that are well ---------------------------------------------------------


def _slow_start(case: Case) -> None:
    moment = case.late(60)
    case.ill.readyz = from_second(moment)
    case.ill.roles_made_at = moment + case.late(15)


def _hiccup(case: Case) -> None:
    began = case.late(60)
    case.ill.readyz = lambda at: not began <= at < began + 10


def _late_node(case: Case) -> None:
    case.victim.joined = from_second(case.late(120))
    case.victim.ready = from_second(case.late(290))


def _late_everything(case: Case) -> None:
    for node in case.nodes:
        node.ready = from_second(case.late(200))
    dns = case.late(150)
    case.ill.coredns_available = lambda at: 2 if at > dns else 0
    # Counted from the start, so that each check still has time left.
    case.ill.service_account_at = case.late(50)
    case.ill.pod_networks_at = case.late(150)
    case.ill.dns_works_at = case.late(80)


def _once(case: Case) -> Callable[[], bool]:
    """Return what is true at one of the first forty times."""
    seen, chosen = 0, case.dice.randint(1, 40)

    def is_it() -> bool:
        nonlocal seen
        seen += 1
        return seen == chosen

    return is_it


def _acted(act: Act, case: Case, handler: BaseHTTPRequestHandler) -> bool:
    act(case, handler)
    return True


def _one_request(act: Act) -> Make:
    def make(case: Case) -> None:
        is_it = _once(case)
        case.server.raw = lambda handler: is_it() and _acted(act, case, handler)

    return make


def _one_answer_lost(case: Case) -> None:
    """A request that was heard, and done, and of whose answer nothing came."""
    is_it = _once(case)

    def on_the_way(_method: str, _path: str, answer: Answer) -> Answer:
        if is_it():
            raise ConnectionAbortedError
        return answer

    case.server.on_the_way = on_the_way


def _proxy(case: Case) -> None:
    case.decoy = FakeApiServer(ill=Illness(page=403), speaks_tls=False)
    names = case.dice.sample(_PROXIES, case.dice.randint(1, 6))
    case.environment = dict.fromkeys(names, "http://127.0.0.1:{port}")


def _leftovers(case: Case) -> None:
    for index in range(case.dice.randint(1, 6)):
        age = case.dice.choice([timedelta(hours=2), timedelta(minutes=30)])
        case.leftovers[f"{_LEFT}left{index}"] = age


def _stubborn_leftover(case: Case) -> None:
    case.leftovers[f"{_LEFT}stubborn"] = timedelta(hours=9)
    refusal = json.dumps({"kind": "Status", "message": "no", "code": 403}).encode()
    case.server.on_the_way = lambda method, path, answer: (
        (403, "application/json", refusal)
        if method == "DELETE" and path.endswith("stubborn")
        else answer
    )


def _other_clock(case: Case) -> None:
    case.skew = case.dice.choice([-1, 1]) * case.hours(9000)
    case.leftovers[f"{_LEFT}at-work"] = timedelta(minutes=5)
    case.leftovers[f"{_LEFT}0ld"] = timedelta(hours=2)


def _other_version(case: Case) -> None:
    said = json.dumps({"gitVersion": f"v1.{case.dice.randint(20, 60)}.0-rc.1+x"}).encode()
    _replaced(case, "/version", lambda: said)


def _replaced(case: Case, path_end: str, body: Callable[[], bytes]) -> None:
    """Replace the bodies of the answers to some paths."""
    case.server.on_the_way = lambda _method, path, answer: (
        (200, "application/json", body()) if path.partition("?")[0].endswith(path_end) else answer
    )


def _reset(_case: Case, handler: BaseHTTPRequestHandler) -> None:
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


WELL: dict[str, Make] = {
    "healthy": _drawn(delay_s=lambda it: it.dice.choice([0, 0, 0.01])),
    "slow": _drawn(takes_s=lambda it: it.dice.uniform(0.05, 0.3) * it.patience),
    "starts slowly": _slow_start,
    "one hiccup of readyz": _hiccup,
    "a node comes late": _late_node,
    "everything comes late": _late_everything,
    "now and then a 503": _drawn(every_nth_fails=lambda it: it.dice.randint(30, 60)),
    "one request is not answered": _one_request(lambda _case, _handler: None),
    "one request is reset": _one_request(_reset),
    "one answer is lost": _one_answer_lost,
    "an extra node that is Ready": Case.add_node,
    "P-15 proxies in the environment": _proxy,
    "left-over namespaces": _leftovers,
    "a leftover that cannot be removed": _stubborn_leftover,
    "this host's clock is wrong": _other_clock,
    "version skew": _other_version,
}


# --- clusters that are ill ----------------------------------------------------------


def _sick(not_ok: frozenset[str], words: str, also: Make = id, **values: object) -> Make:
    def make(case: Case) -> None:
        case.not_ok, case.words = not_ok, words
        _drawn(**{name: lambda _, it=value: it for name, value in values.items()})(case)
        also(case)

    return make


def _restarts(case: Case, began: Callable[[float], float]) -> None:
    """Let the API server's process or its kubelet tell that it is young, or both."""
    teller, readyz = case.dice.choice(["process", "kubelet", "both"]), case.ill.readyz
    if teller != "kubelet":
        case.ill.began = began
    is_told = teller != "process"
    case.ill.kubelet_says = lambda at: (at >= 0 and readyz(at)) if is_told else True


def _flapping(case: Case) -> None:
    case.not_ok, case.words = STEADY, "etcd failed"
    up, down = case.dice.uniform(1, 25), case.dice.uniform(12, 60)
    case.ill.readyz = lambda at: at % (up + down) < up
    _restarts(case, lambda at: at - at % (up + down))


def _ready_once(case: Case) -> None:
    case.not_ok, case.words = STEADY, "etcd failed"
    end = case.dice.uniform(1, 25)
    case.ill.readyz = lambda at: at < end
    _restarts(case, lambda _at: 0.0)


def _dies(case: Case) -> None:
    case.not_ok = ANY
    case.ill.lives_for = case.dice.randint(3, 20)


def _dies_before_steady(case: Case) -> None:
    case.not_ok, case.words = STEADY, "the connection was cut"
    case.ill.dies_at = case.dice.uniform(0, 25)
    _restarts(case, lambda _at: 0.0)


def _wrong_ca(case: Case) -> None:
    case.not_ok, case.words, case.foreign_ca = ALL, "not from the kubeconfig's CA", True


def _victim(not_ok: frozenset[str], words: str, **changes: object) -> Make:
    return _sick(not_ok, words, lambda case: vars(case.victim).update(changes))


def _on_victim(not_ok: frozenset[str], name: str) -> Make:
    def make(case: Case) -> None:
        case.not_ok, case.words = not_ok, case.victim.name
        setattr(case.ill, name, frozenset({case.victim.name}))

    return make


def _between(name: str) -> Make:
    def make(case: Case) -> None:
        case.not_ok, case.words = PODS, case.victim.name
        setattr(case.ill, name, frozenset({case.pair}))

    return make


def _raw(words: str, act: Act, **values: object) -> Make:
    """Let an act answer every request."""
    raw = _drawn(raw=lambda case: lambda handler: _acted(act, case, handler))
    return _sick(ALL, words, raw, **values)


def _begin(handler: BaseHTTPRequestHandler, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def _endless(_case: Case, handler: BaseHTTPRequestHandler) -> None:
    _begin(handler, Content_Type="application/json", Connection="close")
    while True:
        handler.wfile.write(b" " * 65536)


def _huge(_case: Case, handler: BaseHTTPRequestHandler) -> None:
    _begin(handler, Content_Type="text/plain", Content_Length=str(1 << 40))
    while True:
        handler.wfile.write(b" " * 65536)


def _drip(case: Case, handler: BaseHTTPRequestHandler) -> None:
    _begin(handler, Content_Type="text/plain", Content_Length="1000000")
    while not case.server.released.wait(0.002):
        handler.wfile.write(b"o")


def _drip_head(case: Case, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not case.server.released.wait(0.002):
        handler.wfile.write(case.dice.choice([b"o", b"o\r\nX-Next: "]))


def _random_bytes(case: Case, handler: BaseHTTPRequestHandler) -> None:
    starts = [b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200\r\n\r\n"]
    random_bytes = case.dice.randbytes(case.dice.randint(0, 5000))
    handler.wfile.write(case.dice.choice(starts) + random_bytes)


_garbage = _raw("", _random_bytes)


def _redirect(case: Case) -> None:
    """A redirect to another server, which answers that all is ready."""
    case.decoy = decoy = FakeApiServer(speaks_tls=False)
    status = case.dice.choice([301, 302, 303, 307, 308])

    def redirect(_case: Case, handler: BaseHTTPRequestHandler) -> None:
        location = f"http://127.0.0.1:{decoy.port}{handler.path}"
        _begin(handler, status, Location=location, Content_Length="0")

    _raw("not the API server: HTTP 30", redirect)(case)


def _odd_body(path_end: str, body: Callable[[], bytes], not_ok: frozenset[str]) -> Make:
    return _sick(not_ok, "", lambda case: _replaced(case, path_end, body))


def _deep() -> bytes:
    return b"[" * 200_000


def _wrong_shapes() -> bytes:
    return b'{"items": [null, 7, "x", {"metadata": 1}, {"metadata": {"name": []}, "status": []}]}'


def _never(_at: float) -> bool:
    return False


ILL: dict[str, Callable[[Case], object]] = {
    "K-01 V-04 flapping": _flapping,
    "V-04 ready once, then not": _ready_once,
    "dies soon": _dies,
    "dies before it was steady": _dies_before_steady,
    "V-01 wrong CA": _wrong_ca,
    "V-01 wrong SAN": _sick(
        ALL,
        "certificate is for another name",
        _drawn(certificate_address=lambda it: f"10.10.0.{it.dice.randint(1, 250)}"),
    ),
    "V-01 expired certificate": _sick(
        ALL,
        "certificate is not valid today",
        _drawn(valid_until=lambda it: datetime.now(UTC) - it.hours(999)),
    ),
    "certificate of tomorrow": _sick(
        ALL,
        "certificate is not valid today",
        _drawn(valid_from=lambda it: datetime.now(UTC) + it.hours(999)),
    ),
    "no TLS": _sick(ALL, "no TLS", speaks_tls=False),
    **{
        str(status): _sick(ALL, f"HTTP {status}", status=status)
        for status in (401, 403, 404, 429, 500, 503)
    },
    "V-03 captive portal 200": _sick(ALL, "not the API server: HTTP 200", page=200),
    "V-03 proxy 403": _sick(ALL, "not the API server: HTTP 403", page=403),
    "V-03 proxy 407": _sick(ALL, "not the API server: HTTP 407", page=407),
    "V-03 balancer 503": _sick(ALL, "a page that the API server did not write", page=503),
    "V-03 redirect to another server": _redirect,
    "another server says yes": _sick(ALL, "not the API server", readyz_says="yes"),
    "truncated in mid-body": _sick(ALL, "a truncated answer", truncated="length"),
    "documents end early": _sick(ALL - STEADY, "it is not whole JSON", truncated="json"),
    "hangs": _sick(ALL, "no answer within", hangs=True, call_timeout_s=0.02),
    "drips": _raw("no answer within", _drip, call_timeout_s=0.02),
    "drips in its head": _raw("no answer within", _drip_head, call_timeout_s=0.02),
    "reset": _raw("the connection was cut", _reset),
    "endless body": _raw("", _endless),
    "huge body": _raw("", _huge),
    "garbage": _garbage,
    "deep nodes": _odd_body("/nodes", _deep, NODES),
    "deep answers of pods": _odd_body("/resolve", _deep, NAME),
    "wrong shapes for nodes": _odd_body("/nodes", _wrong_shapes, NODES),
    "wrong shapes for pods": _odd_body("/pods", _wrong_shapes, RUNNING),
    "empty objects for pods": _odd_body("/pods", lambda: b"{}", RUNNING),
    "a Service without an address": _odd_body("/services/check", lambda: b"{}", NAME | PODS),
    "V-07 NotReady": _victim(NODES | RUNNING, "NotReady", ready=_never),
    "wrong InternalIP": _victim(NODES, "planned is", address="10.0.2.15"),
    "two InternalIPs": _victim(NODES, "planned is", extra_addresses=("10.0.2.15",)),
    "N-08 duplicate InternalIP": _sick(
        NODES, "is the InternalIP of 2 nodes", lambda it: it.add_node(it.victim.address)
    ),
    "image missing": _victim(RUNNING, "does not have the image", has_check_image=False),
    "missing node": _sick(
        NODES | RUNNING, "has not joined", lambda it: it.server.nodes.remove(it.victim)
    ),
    "no node at all": _sick(NODES | RUNNING, "has not joined", lambda it: it.server.nodes.clear()),
    "extra node that is NotReady": _sick(
        NODES, "demo-extra NotReady", lambda it: it.add_node(ready=_never)
    ),
    "V-07 dead scheduler": _sick(RUNNING, "scheduler has not", scheduler_dead=True),
    "dead controller manager": _sick(RUNNING, "service account", service_account_at=1e9),
    "no pod networks": _sick(RUNNING, "ContainerCreating", pod_networks_at=1e9),
    "check pods crash": _sick(RUNNING, "ended: Failed", pods_crash=True),
    "no right to make namespaces": _sick(RUNNING, "HTTP 403", namespaces_forbidden=True),
    "pod without address": _on_victim(RUNNING, "without_pod_address"),
    "CoreDNS down": _sick(DNS, "0 of 2", coredns_available=lambda _at: 0),
    "half of CoreDNS down": _sick(DNS, "1 of 2", coredns_available=lambda _at: 1),
    "CoreDNS absent": _sick(DNS, "not found", coredns_exists=False),
    "DNS fails on a node": _on_victim(NAME, "dns_fails_on"),
    "service name resolves wrong": _sick(NAME, "198.51.100.1", dns_says="198.51.100.1"),
    "N-16 large bodies short": _on_victim(PODS, "large_is_short_on"),
    "large bodies hang": _on_victim(PODS, "large_fails_on"),
    "kube-proxy dead on a node": _on_victim(PODS, "service_fails_on"),
    "pod cannot reach the other node": _between("cut_between"),
    "N-16 only small packets pass": _between("large_cut_between"),
    "another pod has the address": _sick(PODS, "got 'nginx'", wrong_pod_answers="nginx"),
    "deletion refused": _sick(CLEAN_UP, "no deleting", deletion_refused=True),
    "deletion without effect": _sick(CLEAN_UP, "still", deletion_ignored=True),
}
