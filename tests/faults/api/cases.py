"""Clusters that are well or ill in a drawn way, and what verification must say of each."""

import json
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

from bootstrap.ports import ExpectedNode
from tests.fakes.api_server import FakeApiServer, FakeNode, Illness, from_second

CHECKS = ("api", "nodes", "dns", "pods", "service name", "pod to pod", "clean-up", "steady")
ALL = frozenset(CHECKS)
NAME, PODS = frozenset({"service name"}), frozenset({"pod to pod"})
#: What cannot be seen without a check pod on each node.
RUNNING = frozenset({"pods"}) | NAME | PODS
NODES, DNS, STEADY = frozenset({"nodes"}), frozenset({"dns"}), frozenset({"steady"})
ANY: frozenset[str] = frozenset({"at least one"})
_LEFT = "bootstrap-verify-"
_RESET = struct.pack("ii", 1, 0)
_CHUNK = b" " * 65536

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
    #: Another server, which nobody may ask; it is told its port when it runs.
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
        self.expected = [ExpectedNode(name=it.name, address=it.address) for it in self.nodes]
        self.patience = self.dice.choice([1, 6])
        self.server = FakeApiServer(ill=self.ill, nodes=self.dice.sample(self.nodes, count))

    @property
    def victim(self) -> FakeNode:
        """A node; the same one each time."""
        number: int = self.dice.getstate()[1][0]
        return self.nodes[number % len(self.nodes)]

    @property
    def pair(self) -> tuple[str, str]:
        """The victim and the node after it, which is itself if it is alone."""
        at = self.nodes.index(self.victim)
        return self.victim.name, self.nodes[(at + 1) % len(self.nodes)].name

    def late(self, most: float) -> float:
        """Give a moment within the time that a check has."""
        return self.dice.uniform(0, most * 0.8 * self.patience)


def _well(case: Case) -> None:
    case.ill.delay_s = case.dice.choice([0, 0, 0.01])


def _slow(case: Case) -> None:
    case.ill.takes_s = case.dice.uniform(0.05, 0.3) * case.patience


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


def _now_and_then_503(case: Case) -> None:
    case.ill.every_nth_fails = case.dice.randint(30, 60)


def _one_request(case: Case, act: Callable[[BaseHTTPRequestHandler], None]) -> None:
    seen, chosen = 0, case.dice.randint(1, 40)

    def raw(handler: BaseHTTPRequestHandler) -> bool:
        nonlocal seen
        seen += 1
        if seen == chosen:
            act(handler)
        return seen == chosen

    case.server.raw = raw


def _one_request_unanswered(case: Case) -> None:
    _one_request(case, lambda _handler: None)


def _one_request_reset(case: Case) -> None:
    _one_request(case, _reset)


def _one_answer_lost(case: Case) -> None:
    """A request that was heard, and done, and of whose answer nothing came."""
    seen, chosen = 0, case.dice.randint(1, 40)

    def on_the_way(_method: str, _path: str, answer: Answer) -> Answer:
        nonlocal seen
        seen += 1
        if seen == chosen:
            raise ConnectionAbortedError
        return answer

    case.server.on_the_way = on_the_way


def _extra_node(case: Case) -> None:
    case.server.nodes.append(FakeNode(name="demo-extra", address="10.10.0.99"))


def _proxy(case: Case) -> None:
    case.decoy = FakeApiServer(ill=Illness(page=403), speaks_tls=False)
    names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"]
    for name in case.dice.sample(names, case.dice.randint(1, 6)):
        case.environment[name] = "http://127.0.0.1:{port}"


def _leftovers(case: Case) -> None:
    for index in range(case.dice.randint(1, 6)):
        age = case.dice.choice([timedelta(hours=2), timedelta(minutes=30)])
        case.leftovers[f"{_LEFT}left{index}"] = age


def _stubborn_leftover(case: Case) -> None:
    case.leftovers[f"{_LEFT}stubborn"] = timedelta(hours=9)
    refusal = json.dumps({"kind": "Status", "message": "no", "code": 403}).encode()

    def on_the_way(method: str, path: str, answer: Answer) -> Answer:
        is_it = method == "DELETE" and path.endswith("stubborn")
        return (403, "application/json", refusal) if is_it else answer

    case.server.on_the_way = on_the_way


def _other_clock(case: Case) -> None:
    case.skew = case.dice.choice([-1, 1]) * timedelta(hours=case.dice.randint(1, 9000))
    case.leftovers[f"{_LEFT}at-work"] = timedelta(minutes=5)
    case.leftovers[f"{_LEFT}0ld"] = timedelta(hours=2)


def _other_version(case: Case) -> None:
    said = json.dumps({"gitVersion": f"v1.{case.dice.randint(20, 60)}.0-rc.1+x"}).encode()
    case.server.on_the_way = lambda _method, path, answer: (
        (200, answer[1], said) if path == "/version" else answer
    )


WELL: dict[str, Callable[[Case], None]] = {
    "healthy": _well,
    "slow": _slow,
    "starts slowly": _slow_start,
    "one hiccup of readyz": _hiccup,
    "a node comes late": _late_node,
    "everything comes late": _late_everything,
    "now and then a 503": _now_and_then_503,
    "one request is not answered": _one_request_unanswered,
    "one request is reset": _one_request_reset,
    "one answer is lost": _one_answer_lost,
    "an extra node that is Ready": _extra_node,
    "P-15 proxies in the environment": _proxy,
    "left-over namespaces": _leftovers,
    "a leftover that cannot be removed": _stubborn_leftover,
    "this host's clock is wrong": _other_clock,
    "version skew": _other_version,
}


def _sick(not_ok: frozenset[str], words: str, **ill: object) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.not_ok, case.words = not_ok, words
        for name, value in ill.items():
            setattr(case.ill, name, value)

    return make


def _flapping(case: Case) -> None:
    case.not_ok, case.words = STEADY, "etcd failed"
    up, down = case.dice.uniform(1, 25), case.dice.uniform(12, 60)
    case.ill.readyz = lambda at: at % (up + down) < up


def _ready_once(case: Case) -> None:
    case.not_ok, case.words = STEADY, "etcd failed"
    end = case.dice.uniform(1, 25)
    case.ill.readyz = lambda at: at < end


def _dies(case: Case) -> None:
    case.not_ok = ANY
    case.ill.lives_for = case.dice.randint(3, 20)


def _dies_before_steady(case: Case) -> None:
    case.not_ok, case.words = STEADY, "the connection was cut"
    case.ill.dies_at = case.dice.uniform(0, 25)


def _wrong_ca(case: Case) -> None:
    case.not_ok, case.words, case.foreign_ca = ALL, "not from the kubeconfig's CA", True


def _wrong_name(case: Case) -> None:
    case.not_ok, case.words = ALL, "certificate is for another name"
    case.server.certificate_address = f"10.10.0.{case.dice.randint(1, 250)}"


def _expired(case: Case) -> None:
    case.not_ok, case.words = ALL, "certificate is not valid today"
    case.server.valid_until = datetime.now(UTC) - timedelta(hours=case.dice.randint(1, 999))


def _not_yet_valid(case: Case) -> None:
    case.not_ok, case.words = ALL, "certificate is not valid today"
    days = timedelta(days=60, hours=case.dice.randint(1, 999))
    case.server.valid_until = datetime.now(UTC) + days


def _no_tls(case: Case) -> None:
    case.not_ok, case.words, case.server.speaks_tls = ALL, "no TLS", False


def _status(status: int) -> Callable[[Case], None]:
    return _sick(ALL, f"HTTP {status}", status=status)


def _page(status: int, words: str) -> Callable[[Case], None]:
    return _sick(ALL, words, page=status)


def _raw(words: str, act: Callable[[BaseHTTPRequestHandler], None]) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.not_ok, case.words = ALL, words

        def raw(handler: BaseHTTPRequestHandler) -> bool:
            act(handler)
            return True

        case.server.raw = raw

    return make


def _reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _begin(handler: BaseHTTPRequestHandler, **headers: str) -> None:
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def _endless(handler: BaseHTTPRequestHandler) -> None:
    _begin(handler, Content_Type="application/json", Connection="close")
    while True:
        handler.wfile.write(_CHUNK)


def _huge(handler: BaseHTTPRequestHandler) -> None:
    _begin(handler, Content_Type="text/plain", Content_Length=str(1 << 40))
    while True:
        handler.wfile.write(_CHUNK)


def _redirect(case: Case) -> None:
    """A redirect with a place to go, where a liar says that all is well."""
    case.not_ok, case.words = ALL, "not the API server: HTTP 30"
    decoy = FakeApiServer(speaks_tls=False)
    status = case.dice.choice([301, 302, 303, 307, 308])

    def raw(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(status)
        handler.send_header("Location", f"http://127.0.0.1:{decoy.port}{handler.path}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    case.decoy, case.server.raw = decoy, raw


def _dripping(case: Case) -> None:
    case.not_ok, case.words, case.call_timeout_s = ALL, "no answer within", 0.02

    def drip(handler: BaseHTTPRequestHandler) -> bool:
        _begin(handler, Content_Type="text/plain", Content_Length="1000000")
        while not case.server.released.wait(0.002):
            handler.wfile.write(b"o")
        return True

    case.server.raw = drip


def _dripping_head(case: Case) -> None:
    case.not_ok, case.words, case.call_timeout_s = ALL, "no answer within", 0.02

    def drip(handler: BaseHTTPRequestHandler) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not case.server.released.wait(0.002):
            handler.wfile.write(case.dice.choice([b"o", b"o\r\nX-Next: "]))
        return True

    case.server.raw = drip


def _garbage(case: Case) -> None:
    case.not_ok = ALL

    def garbage(handler: BaseHTTPRequestHandler) -> bool:
        start = case.dice.choice(
            [b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200\r\n\r\n"]
        )
        handler.wfile.write(start + case.dice.randbytes(case.dice.randint(0, 5000)))
        return True

    case.server.raw = garbage


def _hangs(case: Case) -> None:
    case.not_ok, case.words, case.call_timeout_s = ALL, "no answer within", 0.02
    case.ill.hangs = True


def _odd_body(
    path_end: str, body: Callable[[], bytes], not_ok: frozenset[str]
) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.not_ok = not_ok
        case.server.on_the_way = lambda _method, path, answer: (
            (200, "application/json", body())
            if path.partition("?")[0].endswith(path_end)
            else answer
        )

    return make


def _deep() -> bytes:
    return b"[" * 200_000


def _wrong_shapes() -> bytes:
    return b'{"items": [null, 7, "x", {"metadata": 1}, {"metadata": {"name": []}, "status": []}]}'


def _victim(not_ok: frozenset[str], words: str, **changes: object) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.not_ok, case.words = not_ok, words
        for name, value in changes.items():
            setattr(case.victim, name, value)

    return make


def _never(_at: float) -> bool:
    return False


def _same_address(case: Case) -> None:
    case.not_ok, case.words = NODES, "is the InternalIP of 2 nodes"
    case.server.nodes.append(FakeNode(name="demo-extra", address=case.victim.address))


def _no_nodes(case: Case) -> None:
    case.not_ok, case.words = NODES | RUNNING, "has not joined"
    case.server.nodes.clear()


def _missing(case: Case) -> None:
    case.not_ok, case.words = NODES | RUNNING, "has not joined"
    case.server.nodes.remove(case.victim)


def _extra_not_ready(case: Case) -> None:
    case.not_ok, case.words = NODES, "demo-extra NotReady"
    case.server.nodes.append(FakeNode(name="demo-extra", address="10.10.0.99", ready=_never))


def _on_victim(not_ok: frozenset[str], field_name: str) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.not_ok, case.words = not_ok, case.victim.name
        setattr(case.ill, field_name, frozenset({case.victim.name}))

    return make


def _between(field_name: str) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.not_ok, case.words = PODS, case.victim.name
        setattr(case.ill, field_name, frozenset({case.pair}))

    return make


ILL: dict[str, Callable[[Case], None]] = {
    "K-01 V-04 flapping": _flapping,
    "V-04 ready once, then not": _ready_once,
    "dies soon": _dies,
    "dies before it was steady": _dies_before_steady,
    "V-01 wrong CA": _wrong_ca,
    "V-01 wrong SAN": _wrong_name,
    "V-01 expired certificate": _expired,
    "certificate of tomorrow": _not_yet_valid,
    "no TLS": _no_tls,
    "401": _status(401),
    "403": _status(403),
    "404": _status(404),
    "429": _status(429),
    "500": _status(500),
    "503": _status(503),
    "V-03 captive portal 200": _page(200, "not the API server: HTTP 200"),
    "V-03 proxy 403": _page(403, "not the API server: HTTP 403"),
    "V-03 proxy 407": _page(407, "not the API server: HTTP 407"),
    "V-03 balancer 503": _page(503, "a page that the API server did not write"),
    "V-03 redirect to a liar": _redirect,
    "another server says yes": _sick(ALL, "not the API server", readyz_says="yes"),
    "truncated in mid-body": _sick(ALL, "a truncated answer", truncated="length"),
    "documents end early": _sick(ALL - STEADY, "it is not whole JSON", truncated="json"),
    "hangs": _hangs,
    "drips": _dripping,
    "drips in its head": _dripping_head,
    "reset": _raw("the connection was cut", _reset),
    "endless body": _raw("", _endless),
    "huge body": _raw("", _huge),
    "garbage": _garbage,
    "deep nodes": _odd_body("/nodes", _deep, NODES | RUNNING),
    "deep answers of pods": _odd_body("/resolve", _deep, NAME),
    "wrong shapes for nodes": _odd_body("/nodes", _wrong_shapes, NODES | RUNNING),
    "wrong shapes for pods": _odd_body("/pods", _wrong_shapes, RUNNING),
    "empty objects for pods": _odd_body("/pods", lambda: b"{}", RUNNING),
    "a Service without an address": _odd_body("/services/check", lambda: b"{}", NAME | PODS),
    "V-07 NotReady": _victim(NODES | RUNNING, "NotReady", ready=_never),
    "wrong InternalIP": _victim(NODES, "planned is", address="10.0.2.15"),
    "two InternalIPs": _victim(NODES, "planned is", extra_addresses=("10.0.2.15",)),
    "N-08 duplicate InternalIP": _same_address,
    "image missing": _victim(RUNNING, "does not have the image", has_check_image=False),
    "missing node": _missing,
    "no node at all": _no_nodes,
    "extra node that is NotReady": _extra_not_ready,
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
    "another pod has the address": _sick(PODS, "got 'nginx'", stranger_answers="nginx"),
    "deletion refused": _sick(frozenset({"clean-up"}), "no deleting", deletion_refused=True),
    "deletion without effect": _sick(frozenset({"clean-up"}), "still", deletion_ignored=True),
}
