"""A server of releases on 127.0.0.1, which can answer wrongly in every way."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DRIP_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for."""

    path: str
    #: The first byte that was asked for; 0 for the whole file.
    start: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent; ``sent`` bytes of the body, and then the connection ends in some way."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: None for the whole body.
    sent: int | None = None
    #: close, reset, stall (until the reader goes), or drip: the rest byte by byte.
    then: str = "close"


Fault = Callable[[Request, Answer], Answer]


class ReleaseServer(ThreadingHTTPServer):
    """Serves ``files`` by their paths; ``faults`` change one answer each, ``always`` the others."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        #: The media types of paths that have one.
        self.types: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.always: Fault | None = None
        #: Those whose paths have no answer here are answered by it.
        self.other: Fault | None = None
        self.has_ranges = True
        self.requests: list[Request] = []
        #: No request is answered while it is set.
        self.hold = threading.Event()
        self.lock = threading.Lock()
        self.scheme = "https" if context else "http"
        self.context = context

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        if self.context is None:
            super().finish_request(request, client_address)
            return
        # In the thread of the request: a client that hangs up holds up no other.
        with contextlib.suppress(OSError):
            request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
            request.close()

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            fault = self.faults.pop(0) if self.faults else self.always
        while self.hold.is_set():
            time.sleep(_DRIP_S)
        answer = self._right(request)
        return fault(request, answer) if fault else answer

    def _right(self, request: Request) -> Answer:
        if request.path not in self.files:
            missing = Answer(status=404, headers={"Content-Length": "0"})
            return self.other(request, missing) if self.other else missing
        whole = self.files[request.path]
        kind = {"Content-Type": self.types.get(request.path, "application/octet-stream")}
        if not request.start or not self.has_ranges:
            return Answer(headers={**kind, "Content-Length": str(len(whole))}, body=whole)
        if request.start >= len(whole):
            return Answer(status=416, headers={"Content-Range": f"bytes */{len(whole)}"})
        rest = whole[request.start :]
        place = f"bytes {request.start}-{len(whole) - 1}/{len(whole)}"
        headers = {**kind, "Content-Length": str(len(rest)), "Content-Range": place}
        return Answer(status=206, headers=headers, body=rest)


class _Handler(BaseHTTPRequestHandler):
    server: ReleaseServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the base class
        pass

    def do_CONNECT(self) -> None:
        self._send(self.server.answer(Request(path=self.path)))

    def do_GET(self) -> None:
        given = self.headers.get("Range", "")
        start = int(given.removeprefix("bytes=").removesuffix("-") or 0)
        headers = dict(self.headers.items())
        self._send(self.server.answer(Request(path=self.path, start=start, headers=headers)))

    def do_HEAD(self) -> None:
        answer = self.server.answer(Request(path=self.path))
        self._send(replace(answer, body=b""))

    def _send(self, answer: Answer) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.send_response(answer.status)
            for name, value in {"Connection": "close", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            sent = len(answer.body) if answer.sent is None else answer.sent
            self.wfile.write(answer.body[:sent])
            self.wfile.flush()
            self._end(answer.then, answer.body[sent:])

    def _end(self, then: str, rest: bytes) -> None:
        match then:
            case "reset":
                # Lingering for no time is what makes the kernel send a reset.
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
            case "stall":
                self.connection.recv(1)
            case "drip":
                for byte in rest:
                    time.sleep(_DRIP_S)
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            case _:
                pass


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[ReleaseServer]:
    """Serve during the block."""
    with ReleaseServer(context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
