"""Judge whether the API server is steady: by evidence if there is, else by watching (V-04).

An API server that crashes in a loop answers well for some seconds; one answer proves nothing.
"""

import contextlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bootstrap.adapters.kubernetes.client import (
    Answer,
    ApiFailureError,
    Client,
    Document,
    ForbiddenError,
    not_the_api_server,
    objects,
    text,
)
from bootstrap.waiting import NotYet

_STEADY_S = 30.0
_STEADY_ANSWERS = 3
#: Between two looks while other checks run: each has the API server read from etcd.
_SPACING_S = 3.0
#: The small part of the API server's own metrics.
_METRICS = "/metrics/slis"
#: A whole line only: the end of a number that was cut is another number.
_STARTED = re.compile(r"^process_start_time_seconds (\S+)\n", re.MULTILINE)
_PODS = "/api/v1/namespaces/kube-system/pods"
_COMPONENTS = {"kube-apiserver", "etcd"}
_SELECTOR = f"component in ({','.join(sorted(_COMPONENTS))})"
#: What times of the wrong kind raise.
_UNREADABLE = (ValueError, TypeError, OverflowError)


@dataclass(slots=True)
class Watch:
    """Watches ``/readyz`` while the other checks run."""

    client: Client
    #: Answers since the last that was not ``ok``, and when the first of them came.
    answers: int = 0
    since: float = 0.0
    #: When it last looked.
    looked: float = -math.inf
    #: What came instead of the last answer that was not ``ok``; empty if all were.
    gap: str = ""

    def first_answer(self) -> str:
        """Return the evidence that the API server answers.

        :raises NotYet: if it is not ready.
        :raises ApiFailureError: if it gives no usable answer.
        """
        self._look()
        version = text(self.client.read("/version"), "gitVersion")
        return f"{self.client.access.server} runs {version}"

    def look(self) -> None:
        """Look unless it has just done so; a gap begins the thirty seconds anew."""
        if self.client.clock() - self.looked < _SPACING_S:
            return
        with contextlib.suppress(NotYet, ApiFailureError):
            self._look()

    def silence(self) -> str:
        """Return why the API server does not answer; nothing if it does."""
        try:
            self._look()
        except (NotYet, ApiFailureError) as error:
            return f"the API server stopped answering: {error}"
        return ""

    def steady(self) -> str:
        """Return the evidence that the API server is steady.

        It answers now, from a process that is not younger than 30 s as far as that is known, and
        one of two holds: all looks of 30 s were answered well; or all looks were, the process is
        known, and so long its kubelet has called it and etcd ready.

        :raises NotYet: while it is not.
        :raises ApiFailureError: if it gives no usable answer.
        """
        self._look()
        server, lasted = self.client.access.server, self._lasted()
        age = self._process_age_s()
        if age is not None and age < _STEADY_S:
            raise NotYet(f"ready, but its process is only {age:.0f} s old{self.gap}")
        if self.answers >= _STEADY_ANSWERS and lasted >= _STEADY_S:
            return f"{server} answered /readyz {self.answers} times in {lasted:.0f} s without a gap"
        ready = None if self.gap or age is None else self._ready_s()
        if age is None or ready is None or ready < _STEADY_S:
            raise NotYet(f"ready, but only for {lasted:.0f} s so far{self.gap}")
        return (
            f"{server} answers, its process is {age:.0f} s old, "
            f"and it and etcd are ready for {ready:.0f} s"
        )

    def _lasted(self) -> float:
        return self.client.clock() - self.since

    def _look(self) -> None:
        self.looked = self.client.clock()
        try:
            self._ask()
        except (NotYet, ApiFailureError) as error:
            self.answers, self.gap = 0, f"; before that: {error}"
            raise
        self.since = self.client.clock() if self.answers == 0 else self.since
        self.answers += 1

    def _ask(self) -> None:
        try:
            answer = self.client.get("/readyz")
        except ForbiddenError as error:
            # A starting API server refuses every user until it has made its own roles.
            raise NotYet(str(error)) from error
        if answer.text.strip() != "ok":
            raise not_the_api_server(answer)

    # Every time is the node's own, since this host's clock may be another.

    def _process_age_s(self) -> float | None:
        """Ask the process that answers for its age, so nothing is stale; None if unknown.

        After its node's clock was set back, a process may have begun in the future.
        """
        try:
            metrics = self.client.get(_METRICS)
            found = _STARTED.search(metrics.text)
            age = _date(metrics).timestamp() - float(found[1] if found else "")
        except (ApiFailureError, *_UNREADABLE):
            return None
        return age if 0 <= age < math.inf else None

    def _ready_s(self) -> float | None:
        """Tell for how long the kubelet has called the API server and etcd ready."""
        try:
            answer = self.client.get(_PODS, labelSelector=_SELECTOR)
            pods = list(objects(answer.parsed(), "items"))
            since = max(map(_ready_since, pods))
            age = _date(answer) - since
        except (ApiFailureError, *_UNREADABLE):
            return None
        found = {text(pod, "metadata", "labels", "component") for pod in pods}
        return age.total_seconds() if found == _COMPONENTS else None


def _date(answer: Answer) -> datetime:
    return parsedate_to_datetime(answer.date).astimezone(UTC)


def _ready_since(pod: Document) -> datetime:
    for condition in objects(pod, "status", "conditions"):
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            return datetime.fromisoformat(text(condition, "lastTransitionTime"))
    raise ValueError("not ready")
