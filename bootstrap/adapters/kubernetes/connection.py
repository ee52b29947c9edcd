"""Carry requests to the API server, each with a deadline; say what went wrong."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPSConnection

from bootstrap.adapters.kubernetes.access import Access
from bootstrap.adapters.kubernetes.client import (
    Answer,
    ApiFailureError,
    Document,
    RefusedError,
    UnansweredError,
)

E = TypeVar("E", bound=BaseException)

_OTHER_TIME = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED
_OTHER_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ConnectionError)
#: At the same time; a further request waits for one of them.
_CONNECTIONS = 64
_MERGE = {"Content-Type": "application/merge-patch+json"}
#: Far over the list of a hundred nodes, far under this machine's memory.
_LONGEST_BODY = 16 * 1024**2


@contextlib.contextmanager
def connected(
    access: Access, *, timeout_s: float
) -> Iterator[Callable[[str, str, Document | None], Answer]]:
    """Open connections for the block; ``timeout_s`` is the deadline of one request."""
    url = urlsplit(access.server)
    # A pool asks no proxy of the environment (P-15), and this one sends nothing twice.
    with _Pool(
        str(url.hostname),
        url.port,
        ssl_context=access.tls,
        timeout=timeout_s,
        retries=False,
        maxsize=_CONNECTIONS,
        block=True,
    ) as pool:

        def send(method: str, path: str, document: Document | None) -> Answer:
            try:
                found = pool.request(
                    method,
                    path,
                    json=document,
                    headers=_MERGE if method == "PATCH" else None,
                    redirect=False,
                    preload_content=False,
                    release_conn=True,
                )
            except urllib3.exceptions.HTTPError as error:
                raise _failure(error, timeout_s) from error
            return Answer(
                status=found.status,
                content_type=found.headers.get("Content-Type", ""),
                body=found.data or b"",
                date=found.headers.get("Date", ""),
            )

        try:
            yield send
        finally:
            # A caller that leaves the block early waits for no answer.
            pool.cut()


class _Connection(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3's own
        # A socket counts its time-out for each piece, and an answer may come by the byte.
        timeout_s = self.timeout or threading.TIMEOUT_MAX
        deadline = time.monotonic() + timeout_s
        timer = threading.Timer(timeout_s, _cut, (self.sock,))
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()
            body = _whole(response)
        except Exception:
            if time.monotonic() < deadline:
                raise
            raise TimeoutError from None
        finally:
            timer.cancel()
        # Python reads an answer that was cut as one that ended, so its end proves nothing.
        if time.monotonic() >= deadline:
            raise TimeoutError
        return urllib3.HTTPResponse(body, response.headers, response.status)


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Connection

    def __init__(self, host: str, port: int | None, **options: Any) -> None:  # noqa: ANN401 - as urllib3's own
        super().__init__(host, port, **options)
        self._made: list[_Connection] = []

    def _new_conn(self) -> _Connection:
        made = super()._new_conn()
        assert isinstance(made, _Connection)  # noqa: S101 - ConnectionCls says so
        self._made.append(made)
        return made

    def cut(self) -> None:
        """End every connection, also one that another thread waits on."""
        for connection in self._made:
            if connection.sock is not None:
                _cut(connection.sock)


def _whole(response: urllib3.HTTPResponse) -> bytes:
    body = bytearray()
    for piece in response.stream(decode_content=False):
        body += piece
        if len(body) > _LONGEST_BODY:
            raise RefusedError(f"an answer of over {_LONGEST_BODY} bytes")
    return bytes(body)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_RDWR)


def _failure(error: urllib3.exceptions.HTTPError, timeout_s: float) -> ApiFailureError:
    # By the cause that is certain, not by the last to raise: urllib3 counts a refused
    # connection among the time-outs.
    causes = list(_causes(error))

    def cause(*kinds: type[E]) -> E | None:
        return next((one for one in causes if isinstance(one, kinds)), None)

    if wrong := cause(ssl.SSLCertVerificationError):
        return RefusedError(f"the server's certificate is {_fault(wrong)}: {wrong.verify_message}")
    for kinds, seen in (
        ((ConnectionRefusedError,), "connection refused"),
        ((http.client.IncompleteRead,), "a truncated answer"),
        (_CUT, "the connection was cut"),
        ((TimeoutError,), f"no answer within {timeout_s:.0f} s"),
    ):
        if cause(*kinds):
            return UnansweredError(seen)
    if no_tls := cause(ssl.SSLError):
        return RefusedError(f"no TLS with the server: {no_tls.reason or no_tls}")
    return UnansweredError(f"no connection: {cause(OSError) or error}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _fault(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_TIME:
        return "not valid today"
    return (
        "for another name" if error.verify_code in _OTHER_NAME else "not from the kubeconfig's CA"
    )
