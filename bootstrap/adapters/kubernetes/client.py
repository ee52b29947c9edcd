"""Ask the API server and tell its own answers from those of anything in between."""

import contextlib
import json
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from bootstrap.adapters.kubernetes.documents import Document, text
from bootstrap.adapters.kubernetes.failures import (
    ApiFailureError,
    ExistsError,
    ForbiddenError,
    MissingError,
    RefusedError,
    UnansweredError,
)

_OK = range(200, 300)
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER_ERROR = (
    401,
    403,
    404,
    409,
    429,
    500,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it came."""

    status: int
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body for reading."""
        return self.body.decode(errors="replace")

    @property
    def is_html(self) -> bool:
        """Tell whether it is a page; the API server never sends one."""
        return "html" in self.content_type.lower() or self.body.lstrip()[:1] == b"<"

    def parsed(self) -> Any:  # noqa: ANN401 - JSON has no type of its own
        """Give the JSON in the body; None if there is none, or not all of it."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # a pod may nest as deep as it likes
            return None


class Transport(Protocol):
    """Carries one request."""

    def send(self, method: str, path: str, *, body: object, timeout_s: float) -> Answer:
        """Send one request.

        :raises ApiFailureError: if no whole answer came.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Asks one API server, each time with a deadline."""

    transport: Transport
    server: str
    call_timeout_s: float

    def get(self, path: str, **query: str) -> Answer:
        """Give the answer if its status is 2xx.

        :raises ApiFailureError: for every other status.
        """
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def read(self, path: str, **query: str) -> Document:
        """Give a JSON object."""
        return _document(self.get(path, **query))

    def create(self, path: str, document: Document) -> None:
        """Make the object exist; one that exists already is kept."""
        with contextlib.suppress(ExistsError):
            self._ask("POST", f"{path}?fieldValidation=Strict", document)

    def delete(self, path: str) -> None:
        """Ask for the object's removal; one that is gone already is fine."""
        with contextlib.suppress(MissingError):
            self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: object = None) -> Answer:
        answer = self.transport.send(method, path, body=body, timeout_s=self.call_timeout_s)
        if answer.status in _OK:
            return answer
        raise _failure(answer)


def stranger(answer: Answer) -> RefusedError:
    """Say that a proxy, a portal or another program answered (V-03)."""
    kind = answer.content_type or "no content type"
    return RefusedError(
        f"reached something that is not the API server: HTTP {answer.status}, {kind}"
    )


def _failure(answer: Answer) -> ApiFailureError:
    said = _status_message(answer)
    if answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR:
        return UnansweredError(f"HTTP {answer.status}: {said or _gist(answer)}")
    if said is None:
        return stranger(answer)
    if answer.status == _UNAUTHORIZED:
        return RefusedError("HTTP 401: the API server does not accept the kubeconfig's certificate")
    kinds = {_FORBIDDEN: ForbiddenError, _NOT_FOUND: MissingError, _CONFLICT: ExistsError}
    return kinds.get(answer.status, RefusedError)(f"HTTP {answer.status}: {said}")


def _gist(answer: Answer) -> str:
    # /readyz lists what is well, too.
    failed = [line for line in answer.text.splitlines() if line.startswith("[-]")]
    if answer.is_html:
        return "a page that the API server did not write"
    return "; ".join(failed) or answer.text[:200].strip()


def _status_message(answer: Answer) -> str | None:
    # Every error of the API server itself is an object of the kind Status.
    document = answer.parsed()
    return text(document, "message") if text(document, "kind") == "Status" else None


def _document(answer: Answer) -> Document:
    document = answer.parsed()
    if isinstance(document, dict):
        return document
    if answer.is_html:
        raise stranger(answer)
    raise UnansweredError("a truncated answer: it is not whole JSON")
