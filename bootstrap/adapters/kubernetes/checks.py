"""Look at several checks at the same time, until each has a verdict or their time is up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bootstrap.adapters.kubernetes.client import (
    ApiFailureError,
    Client,
    ForbiddenError,
    UnansweredError,
)
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.ports import CheckResult
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet

#: A look asks for what is still missing alone, which is little even for an emulated node.
_INTERVAL_S = 1.0


@dataclass(slots=True, kw_only=True)
class Check:
    """One line of evidence."""

    name: str
    #: What a time-out waited for.
    goal: str
    #: Returns the evidence; raises NotYet or UnansweredError if another look may find more.
    look: Callable[[], str]
    #: Seconds from its first look, times the patience; it has no more than all have together.
    limit_s: float = float("inf")
    #: What must be ok before.
    needs: "Check | None" = None
    #: Why the checks that need this one are not run if it fails.
    obstacle: str = ""
    #: When it was first looked at.
    began: float | None = None
    #: What the last look saw.
    seen: str = ""
    #: Whether the API server was ready after it refused an earlier look.
    was_refused_ready: bool = False
    result: CheckResult | None = None

    @property
    def may_run(self) -> bool:
        """Tell whether to look at it now."""
        needed = self.needs.result if self.needs else None
        return self.result is None and (self.needs is None or (needed is not None and needed.ok))

    def settle(self, evidence: str, *, ok: bool) -> None:
        """Give the verdict."""
        self.result = CheckResult(name=self.name, ok=ok, evidence=" ".join(evidence.split()))


def run_checks(
    client: Client,
    checks: Sequence[Check],
    *,
    timeout_s: float,
    meanwhile: Callable[[], None] = lambda: None,
    report: Callable[[str], None] = lambda _seen: None,
) -> None:
    """Look at all checks that may run, again and again, until each has its result.

    ``timeout_s``, times the patience, is the time of all together. ``meanwhile`` is called with
    every look. What is not ok yet goes to ``report`` while this waits.
    """
    try:
        look = partial(_look, client, checks, meanwhile)
        client.wait("the checks", look, timeout_s=timeout_s, interval_s=_INTERVAL_S, report=report)
    except TimedOutError:
        for check in checks:
            if check.result is None and check.began is not None:
                _time_out(client, check)
        _refuse_needy(checks)


def _look(client: Client, checks: Sequence[Check], meanwhile: Callable[[], None]) -> None:
    calls: list[Callable[[], None]] = [meanwhile]
    looked: set[str] = set()
    # A check that just became ok lets others run, which need not wait for the next look.
    while ready := [check for check in checks if check.may_run and check.name not in looked]:
        looked |= {check.name for check in ready}
        calls += [partial(_look_at, client, check) for check in ready]
        at_once(lambda call: call(), calls, threads=len(calls))
        calls = []
        _refuse_needy(checks)
    if seen := [f"{check.name}: {check.seen}" for check in checks if check.may_run]:
        raise NotYet("; ".join(seen))


def _look_at(client: Client, check: Check) -> None:
    check.began = client.clock() if check.began is None else check.began
    try:
        check.settle(_evidence(client, check), ok=True)
    except (NotYet, UnansweredError) as pending:
        check.seen = str(pending)
        if client.clock() - check.began >= check.limit_s * client.patience:
            _time_out(client, check)
    except ApiFailureError as error:
        check.settle(str(error), ok=False)
    except BootstrapError as error:
        check.settle(error.summary, ok=False)


def _evidence(client: Client, check: Check) -> str:
    """Look once; a refusal is one that was asked for after the API server had become ready."""
    try:
        return check.look()
    except ForbiddenError as error:
        is_ready = client.is_ready()
        if check.was_refused_ready and is_ready:
            raise
        check.was_refused_ready = is_ready
        raise NotYet(str(error)) from error


def _time_out(client: Client, check: Check) -> None:
    passed = client.clock() - (check.began or 0)
    waited = f"Timed out after {passed:.0f} s waiting for {check.goal}."
    check.settle(f"{waited} Last seen: {check.seen}", ok=False)


def _refuse_needy(checks: Sequence[Check]) -> None:
    """Settle the checks that will never run; each stands after the one that it needs."""
    for check in checks:
        needed = check.needs.result if check.needs else None
        if check.needs and needed and not needed.ok and check.result is None:
            obstacle = check.needs.obstacle
            check.settle(f"not run: {obstacle}", ok=False)
            check.obstacle = obstacle
