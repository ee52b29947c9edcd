"""Tell whether the API server is ready and stays so (V-04, K-01)."""

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap.adapters.kubernetes.client import Client, stranger
from bootstrap.adapters.kubernetes.documents import text
from bootstrap.adapters.kubernetes.failures import (
    ApiFailureError,
    ForbiddenError,
    RefusedError,
    UnansweredError,
)
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.adapters.kubernetes.proxies import no_proxy_remark
from bootstrap.waiting import NotYet

_STEADY_S = 30.0
_STEADY_ANSWERS = 3
_TIMEOUT_S = 120.0


def read_version(client: Client) -> str:
    """Give the API server's version."""
    document = client.read("/version")
    version = text(document, "gitVersion")
    if not version:
        raise RefusedError("reached something that is not the API server: /version has no version")
    return version


@dataclass(slots=True)
class Watch:
    """Watches ``/readyz`` while the other checks run; only the end of it can be the verdict.

    A crash-looping API server answers well for some seconds; one answer proves nothing.
    """

    client: Client
    pace: Pace
    #: Answers since the last that was not ``ok``.
    answers: int = 0
    since: float = 0.0
    #: What came instead of the last answer that was not ``ok``.
    gap: str = ""

    def begin(self) -> str:
        """Wait for the first answer and give the evidence."""
        server = self.client.server
        self.pace.wait(f"the API server at {server}", self._look, timeout_s=_TIMEOUT_S)
        version = self.pace.wait(
            "the API server's version", lambda: read_version(self.client), timeout_s=60
        )
        return f"{server} runs {version}{no_proxy_remark(server)}"

    def sleeping(self, seconds: float, sleep: Callable[[float], None]) -> None:
        """Sleep between two looks of another check, and look at ``/readyz`` before."""
        try:
            self._look()
        except (NotYet, ApiFailureError) as error:
            self._interrupt(error)
        sleep(seconds)

    def end(self) -> str:
        """Wait until 30 s of readiness had no gap, and give the evidence."""
        server = self.client.server
        self.pace.wait(f"{server} to stay ready", self._look_steady, timeout_s=_TIMEOUT_S)
        return (
            f"{server} answered /readyz {self.answers} times "
            f"in {self.pace.clock() - self.since:.0f} s without a gap"
        )

    def _look_steady(self) -> None:
        self._look()
        lasted = self.pace.clock() - self.since
        if self.answers < _STEADY_ANSWERS or lasted < _STEADY_S:
            raise NotYet(f"ready, but only for {lasted:.0f} s so far{self.gap}")

    def _look(self) -> None:
        try:
            self._ask()
        except (UnansweredError, NotYet) as error:
            self._interrupt(error)
            raise
        self.since = self.pace.clock() if self.answers == 0 else self.since
        self.answers += 1

    def _interrupt(self, error: Exception) -> None:
        self.answers, self.gap = 0, f"; before that: {error}"

    def _ask(self) -> None:
        try:
            answer = self.client.get("/readyz")
        except ForbiddenError as error:
            # A starting API server refuses everyone until it has made its own roles.
            raise NotYet(str(error)) from error
        if answer.text.strip() != "ok":
            raise stranger(answer)
