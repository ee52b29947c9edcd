"""Tell whether the API server is ready and stays so (V-04, K-01)."""

from dataclasses import dataclass

from bootstrap.adapters.kubernetes.client import Client, stranger
from bootstrap.adapters.kubernetes.documents import text
from bootstrap.adapters.kubernetes.failures import ForbiddenError, RefusedError, UnansweredError
from bootstrap.adapters.kubernetes.pace import Pace
from bootstrap.adapters.kubernetes.proxies import no_proxy_remark
from bootstrap.waiting import NotYet

_STEADY_S = 30.0
_STEADY_ANSWERS = 3
_TIMEOUT_S = 120.0


def steady_api(client: Client, pace: Pace) -> str:
    """Wait for 30 s of unbroken readiness and give the evidence.

    A crash-looping API server answers well for some seconds; one answer proves nothing.
    """
    streak = _Streak(client=client, pace=pace)
    pace.wait(f"the API server at {client.server}", streak.look, timeout_s=_TIMEOUT_S)
    version = pace.wait("the API server's version", lambda: read_version(client), timeout_s=60)
    return (
        f"{client.server} runs {version} and answered /readyz {streak.answers} times "
        f"in {pace.clock() - streak.since:.0f} s without a gap{no_proxy_remark(client.server)}"
    )


def read_version(client: Client) -> str:
    """Give the API server's version."""
    document = client.read("/version")
    version = text(document, "gitVersion")
    if not version:
        raise RefusedError("reached something that is not the API server: /version has no version")
    return version


@dataclass(slots=True)
class _Streak:
    """Counts answers since the last that was not ``ok``."""

    client: Client
    pace: Pace
    answers: int = 0
    since: float = 0.0
    #: What came instead of the last answer that was not ``ok``.
    gap: str = ""

    def look(self) -> None:
        try:
            self._ask()
        except (UnansweredError, NotYet) as error:
            self.answers, self.gap = 0, f"; before that: {error}"
            raise
        now = self.pace.clock()
        self.since = now if self.answers == 0 else self.since
        self.answers += 1
        if self.answers < _STEADY_ANSWERS or now - self.since < _STEADY_S:
            raise NotYet(f"ready, but only for {now - self.since:.0f} s so far{self.gap}")

    def _ask(self) -> None:
        try:
            answer = self.client.get("/readyz")
        except ForbiddenError as error:
            # A starting API server refuses everyone until it has made its own roles.
            raise NotYet(str(error)) from error
        if answer.text.strip() != "ok":
            raise stranger(answer)
