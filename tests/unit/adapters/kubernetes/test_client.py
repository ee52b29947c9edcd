"""How answers are judged: those of the API server, and those of another program."""

import contextlib
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.kubernetes.access import Access
from bootstrap.adapters.kubernetes.client import (
    Answer,
    ApiFailureError,
    BusyError,
    Client,
    Document,
    ExistsError,
    ForbiddenError,
    MissingError,
    RefusedError,
    UnansweredError,
)
from bootstrap.adapters.kubernetes.nodes import available_dns, read_nodes
from bootstrap.adapters.kubernetes.pods import CheckPods
from bootstrap.errors import BootstrapError
from bootstrap.waiting import NotYet
from tests.fakes.api_server import FakeClock

ACCESS = Access(
    kubeconfig=Path("kubeconfig"),
    server="https://127.0.0.1:1",
    ca="",
    certificate=b"",
    key=b"",
    tls=ssl.create_default_context(),
)


@dataclass
class OneAnswer:
    """Sends the same answer to every request."""

    answer: Answer
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, document: Document | None) -> Answer:
        del document
        self.asked.append(f"{method} {path}")
        return self.answer

    @property
    def client(self) -> Client:
        clock = FakeClock()
        return Client(access=ACCESS, send=self, clock=clock, sleep=clock.sleep, patience=1)


def a_client(status: int, body: bytes, content_type: str = "application/json") -> Client:
    return OneAnswer(Answer(status=status, content_type=content_type, body=body)).client


def a_status(message: str = "said") -> bytes:
    return json.dumps({"kind": "Status", "message": message}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (401, RefusedError),
        (403, ForbiddenError),
        (404, MissingError),
        (409, ExistsError),
        (422, RefusedError),
        (429, BusyError),
        (500, BusyError),
        (503, BusyError),
    ],
)
def test_the_server_s_own_errors_are_told_by_status(
    status: int, kind: type[ApiFailureError]
) -> None:
    with pytest.raises(kind, match=f"HTTP {status}") as caught:
        a_client(status, a_status()).get("/x")
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [302, 307, 401, 403, 404, 407])
def test_an_error_that_is_not_a_status_is_not_the_api_server_s(status: int) -> None:
    """V-03."""
    with pytest.raises(RefusedError, match="not the API server") as caught:
        a_client(status, b"denied", "text/plain").get("/x")
    assert type(caught.value) is RefusedError


def test_only_the_checks_that_failed_are_quoted() -> None:
    body = b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed"
    with pytest.raises(UnansweredError, match=r"^HTTP 500: \[-\]etcd failed: reason withheld$"):
        a_client(500, body, "text/plain").get("/readyz")


def test_creating_what_exists_and_deleting_what_is_gone_are_done() -> None:
    a_client(409, a_status()).create("/x", {})
    a_client(404, a_status()).delete("/x")


def test_deleting_does_not_believe_another_program() -> None:
    with pytest.raises(RefusedError, match="not the API server"):
        a_client(404, b"<html>", "text/html").delete("/x")


def test_unknown_fields_are_an_error_of_the_server() -> None:
    sender = OneAnswer(Answer(status=201, content_type="application/json", body=b"{}"))
    sender.client.create("/api/v1/namespaces", {})
    assert sender.asked == ["POST /api/v1/namespaces?fieldValidation=Strict"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["items", "metadata", "name", "spec", "status", "conditions", "type"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(document=JSON)
def test_no_document_breaks_the_readers(document: object) -> None:
    """Verification never raises for a sick cluster, whatever its documents hold."""
    client = a_client(200, json.dumps(document).encode())
    for read in (
        lambda: read_nodes(client),
        CheckPods(client=client, namespace="n", nodes=["demo-worker"]).look,
        lambda: available_dns(client),
    ):
        with contextlib.suppress(ApiFailureError, BootstrapError, NotYet):
            read()
