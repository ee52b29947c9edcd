"""Carry one request to the API server with the official client; say what went wrong."""

import contextlib
import http.client
import os
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException

from bootstrap.adapters.kubernetes.access import Access
from bootstrap.adapters.kubernetes.client import Answer
from bootstrap.adapters.kubernetes.connections import end_slow_heads
from bootstrap.adapters.kubernetes.failures import (
    ApiFailureError,
    RefusedError,
    UnansweredError,
)

_OTHER_TIME = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED
_OTHER_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
#: Far over the list of a hundred nodes, far under this machine's memory.
_LONGEST_BODY = 16 * 1024**2
_CHUNK = 64 * 1024
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ConnectionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiTransport:
    """Sends requests and gives answers as they came, HTML and half documents included.

    The generated methods of the client would read those as objects or as errors of
    their own; verification must tell them apart.
    """

    api: ApiClient
    server: str

    def send(self, method: str, path: str, *, body: object, timeout_s: float) -> Answer:
        """Send one request; never a second time by itself."""
        try:
            response = self.api.call_api(
                method,
                self.server + path,
                header_params={"Accept": "application/json, */*"},
                body=body,
                _request_timeout=timeout_s,
            )
            data = _whole(response.response, timeout_s)
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            raise _translated(error, timeout_s) from error
        content_type = response.headers.get("Content-Type", "")
        return Answer(status=response.status, content_type=content_type, body=data)


def _whole(response: urllib3.BaseHTTPResponse, timeout_s: float) -> bytes:
    # The client's own time-out is for each piece, and a pod behind the API server may
    # send pieces for ever.
    deadline, data = time.monotonic() + timeout_s, bytearray()
    while piece := response.read1(_CHUNK, decode_content=False):
        data += piece
        if len(data) > _LONGEST_BODY:
            response.close()
            raise RefusedError(f"an answer of over {_LONGEST_BODY} bytes")
        if time.monotonic() > deadline:
            response.close()
            raise UnansweredError(f"no answer within {timeout_s:.0f} s: it still came")
    return bytes(data)


@contextlib.contextmanager
def opened(access: Access) -> Iterator[ApiTransport]:
    """Give a transport for the block; its connections are closed afterwards."""
    with _in_memory(access.certificate + b"\n" + access.key) as identity:
        api = ApiClient(_configuration(access, identity))
        end_slow_heads(api.rest_client.pool_manager)
        try:
            yield ApiTransport(api=api, server=access.server)
        finally:
            api.close()  # type: ignore[no-untyped-call]


def _configuration(access: Access, identity: str) -> Configuration:
    # An empty proxy, unlike none, is not looked up in the environment (P-15).
    return Configuration(
        host=access.server,
        ca_cert_data=access.ca,
        cert_file=identity,
        tls_server_name=access.tls_server_name or None,
        retries=False,
        proxy="",
        no_proxy="",
    )


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    # OpenSSL reads a client certificate from a file only. This one has no name on any
    # disk, so a killed run leaves no key behind.
    descriptor = os.memfd_create("bootstrap-client", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


def _translated(error: Exception, timeout_s: float) -> ApiFailureError:
    # By what is known for certain, not by who raised last: urllib3 counts a refused
    # connection among the time-outs.
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RefusedError(_certificate_text(cause))
    for kinds, seen in (
        ((ConnectionRefusedError,), "connection refused"),
        ((http.client.IncompleteRead,), "a truncated answer"),
        (_CUT, "the connection was cut"),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return UnansweredError(seen)
    return _other_failure(causes, timeout_s)


def _other_failure(causes: list[BaseException], timeout_s: float) -> ApiFailureError:
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.NewConnectionError):
            return UnansweredError(f"no connection: {cause.__cause__ or cause}")
        if isinstance(cause, urllib3.exceptions.TimeoutError):
            return UnansweredError(f"no answer within {timeout_s:.0f} s")
        if isinstance(cause, ssl.SSLError):
            reason = cause.reason or str(cause)
            return RefusedError(f"no TLS with the server, or a damaged certificate: {reason}")
    return UnansweredError(f"no connection: {causes[0]}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _certificate_text(error: ssl.SSLCertVerificationError) -> str:
    reason = error.verify_message
    if error.verify_code in _OTHER_TIME:
        return f"the server's certificate is not valid today: {reason}"
    if error.verify_code in _OTHER_NAME:
        return f"the server's certificate is for another name: {reason}"
    return f"the server's certificate is not from the kubeconfig's CA: {reason}"
