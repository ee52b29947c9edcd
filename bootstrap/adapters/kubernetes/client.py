"""Ask the API server and judge the answer: its own, a failure, or another program's."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from bootstrap.adapters.kubernetes.access import Access
from bootstrap.waiting import NotYet, wait_for

T = TypeVar("T")
Document = Mapping[str, Any]

#: On a cluster that is well, a pod runs after one of the first looks.
_FIRST_INTERVALS_S = (0.5, 0.5, 1.0, 1.0, 1.0)
_OK, _UNAUTHORIZED, _TOO_MANY, _SERVER_ERROR = range(200, 300), 401, 429, 500


class ApiFailureError(Exception):
    """A request without a usable answer; its text is evidence. It never leaves the adapter."""


class UnansweredError(ApiFailureError):
    """The API server did not answer, or said that it cannot now: worth another try."""


class BusyError(UnansweredError):
    """The API server answered that it will not do this now, as for a disruption budget."""


class RefusedError(ApiFailureError):
    """An answer that trying again will not change: TLS, credentials, another program."""


class ForbiddenError(RefusedError):
    """The API server knows the user and refuses the request."""


class MissingError(RefusedError):
    """The API server has no such object."""


class ExistsError(RefusedError):
    """The API server already has an object of that name."""


_KINDS = {403: ForbiddenError, 404: MissingError, 409: ExistsError}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it came."""

    status: int
    content_type: str
    body: bytes
    #: The server's own time, as HTTP writes it; empty if it was not sent.
    date: str = ""

    @property
    def text(self) -> str:
        """The body for reading."""
        return self.body.decode(errors="replace")

    def parsed(self) -> Any:  # noqa: ANN401 - JSON has no type of its own
        """Return the JSON in the body; None if there is none, or not all of it."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # a pod may nest as deep as it likes
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Asks one API server; the clock of every wait for it."""

    access: Access
    #: Sends a method, a path and a document; raises ApiFailureError if no whole answer came.
    send: Callable[[str, str, Document | None], Answer]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    #: How many times slower than real hardware the nodes are.
    patience: int

    def get(self, path: str, **query: str) -> Answer:
        """Return the answer if its status is 2xx; raise ApiFailureError for every other."""
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def read(self, path: str, **query: str) -> Document:
        """Return a JSON object."""
        document = self.get(path, **query).parsed()
        if not isinstance(document, dict):
            raise UnansweredError("a truncated answer: it is not whole JSON")
        return document

    def create(self, path: str, document: Document) -> None:
        """Make the object exist; one that exists already is kept."""
        with contextlib.suppress(ExistsError):
            self._ask("POST", f"{path}?fieldValidation=Strict", document)

    def patch(self, path: str, document: Document) -> None:
        """Merge a document into the object."""
        self._ask("PATCH", path, document)

    def delete(self, path: str) -> None:
        """Ask for the object's removal; one that is gone already is fine."""
        with contextlib.suppress(MissingError):
            self._ask("DELETE", path)

    def is_ready(self) -> bool:
        """Tell whether the API server calls itself ready.

        One that starts answers, but refuses every user until it has read its roles.
        """
        try:
            self.get("/readyz")
        except ApiFailureError:
            return False
        return True

    def _ask(self, method: str, path: str, document: Document | None = None) -> Answer:
        answer = self.send(method, path, document)
        if answer.status not in _OK:
            raise _failure(answer)
        return answer

    def wait(
        self,
        description: str,
        check: Callable[[], T],
        *,
        timeout_s: float,
        interval_s: float | None = None,
        report: Callable[[str], None] = lambda _seen: None,
    ) -> T:
        """Repeat ``check`` while the API server does not answer or the check says not yet."""
        first = iter(_FIRST_INTERVALS_S)

        def answered() -> T:
            try:
                return check()
            except UnansweredError as error:
                raise NotYet(str(error)) from error

        return wait_for(
            description,
            answered,
            timeout_s=timeout_s * self.patience,
            # Each look costs an emulated node dear.
            interval_s=interval_s or (2.0 if self.patience == 1 else 5.0),
            hint=self.access.hint,
            report=report,
            sleep=lambda longest: self.sleep(min(longest, next(first, longest))),
            clock=self.clock,
        )


def _failure(answer: Answer) -> ApiFailureError:
    status, document = answer.status, answer.parsed()
    # Every error of the API server itself is an object of the kind Status.
    said = _said(document) if text(document, "kind") == "Status" else ""
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return BusyError(f"HTTP {status}: {said or _gist(answer)}")
    if not said:
        return not_the_api_server(answer)
    if status == _UNAUTHORIZED:
        said = "the API server does not accept the kubeconfig's certificate"
    return _KINDS.get(status, RefusedError)(f"HTTP {status}: {said}")


def _said(document: object) -> str:
    """Return the message with the causes, of which one names the disruption budget."""
    causes = [text(cause, "message") for cause in objects(document, "details", "causes")]
    return " ".join(filter(None, [text(document, "message"), *causes]))


def not_the_api_server(answer: Answer) -> RefusedError:
    """Say that a proxy, a portal or another program answered (V-03)."""
    kind = answer.content_type or "no content type"
    return RefusedError(
        f"reached something that is not the API server: HTTP {answer.status}, {kind}"
    )


def _gist(answer: Answer) -> str:
    if "html" in answer.content_type:
        return "a page that the API server did not write"
    # /readyz lists the checks that passed, too.
    failed = [line for line in answer.text.splitlines() if line.startswith("[-]")]
    return "; ".join(failed) or answer.text[:200].strip()


# A sick API server or a pod may fill a document with anything.


def dig(document: object, *keys: str) -> Any:  # noqa: ANN401 - JSON has no type of its own
    """Follow ``keys`` into nested objects; None where the path ends early."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def text(document: object, *keys: str) -> str:
    """Return the string at ``keys``, or an empty one."""
    value = dig(document, *keys)
    return value if isinstance(value, str) else ""


def count(document: object, *keys: str) -> int:
    """Return the number at ``keys``; the API server leaves zeroes out."""
    value = dig(document, *keys)
    return value if isinstance(value, int) else 0


def objects(document: object, *keys: str) -> Iterator[Document]:
    """List the objects of the list at ``keys``."""
    value = dig(document, *keys)
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
