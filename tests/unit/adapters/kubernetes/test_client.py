"""How answers are judged, whoever wrote them."""

import contextlib
import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.kubernetes.client import Answer, Client
from bootstrap.adapters.kubernetes.dns import available_dns
from bootstrap.adapters.kubernetes.failures import (
    ApiFailureError,
    ExistsError,
    ForbiddenError,
    MissingError,
    RefusedError,
    UnansweredError,
)
from bootstrap.adapters.kubernetes.nodes import read_nodes
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.adapters.kubernetes.pods import running_pods
from bootstrap.errors import BootstrapError
from tests.fakes.api_server import FakeClock


@dataclass
class OneAnswer:
    """Gives the same answer to everything."""

    answer: Answer
    asked: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, *, body: object, timeout_s: float) -> Answer:
        del body, timeout_s
        self.asked.append(f"{method} {path}")
        return self.answer


def a_client(status: int, body: bytes, content_type: str = "application/json") -> Client:
    answer = Answer(status=status, content_type=content_type, body=body)
    return Client(transport=OneAnswer(answer), server="https://127.0.0.1:1", call_timeout_s=1)


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
        (429, UnansweredError),
        (500, UnansweredError),
        (503, UnansweredError),
    ],
)
def test_the_server_s_own_errors_are_told_by_status(
    status: int, kind: type[ApiFailureError]
) -> None:
    with pytest.raises(kind, match=f"HTTP {status}") as caught:
        a_client(status, a_status()).get("/x")
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [302, 307, 401, 403, 404, 407])
def test_an_error_that_is_not_a_status_comes_from_a_stranger(status: int) -> None:
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


def test_deleting_does_not_believe_a_stranger() -> None:
    with pytest.raises(RefusedError, match="not the API server"):
        a_client(404, b"<html>", "text/html").delete("/x")


def test_unknown_fields_are_an_error_of_the_server() -> None:
    client = a_client(201, b"{}")
    client.create("/api/v1/namespaces", {})
    assert client.transport == OneAnswer(
        Answer(status=201, content_type="application/json", body=b"{}"),
        asked=["POST /api/v1/namespaces?fieldValidation=Strict"],
    )


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
    clock = FakeClock()
    pace = Pace(clock=clock, sleep=clock.sleep, patience=1)
    for read in (
        lambda: read_nodes(client),
        lambda: running_pods(client, "n"),
        lambda: available_dns(client, pace),
    ):
        with contextlib.suppress(ApiFailureError, BootstrapError):
            read()
