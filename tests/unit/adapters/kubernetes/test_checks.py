"""Checks that run at the same time: one verdict for each, whatever happens to the others."""

from collections.abc import Callable, Iterator

from bootstrap.adapters.kubernetes.checks import Check, run_checks
from bootstrap.adapters.kubernetes.client import (
    Client,
    ForbiddenError,
    RefusedError,
    UnansweredError,
)
from bootstrap.errors import VerifyError
from bootstrap.waiting import NotYet
from tests.fakes.api_server import FakeClock
from tests.unit.adapters.kubernetes.test_client import a_client


def a_check(name: str, look: Callable[[], str], needs: Check | None = None) -> Check:
    return Check(
        name=name, goal=f"{name} to be well", look=look, needs=needs, obstacle=f"there is no {name}"
    )


def fine() -> str:
    return "fine"


def fails() -> str:
    raise VerifyError("It is\nsick.", details="very")


def never() -> str:
    raise NotYet("nothing")


def at_last(*raised: Exception) -> Callable[[], str]:
    answers: Iterator[Exception | str] = iter([*raised, "fine"])

    def look() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


def ran(client: Client, *checks: Check) -> list[tuple[str, bool, str]]:
    run_checks(client, checks, timeout_s=60)
    results = [check.result for check in checks]
    return [(it.name, it.ok, it.evidence) for it in results if it]


def the_client() -> Client:
    return a_client(200, b"")


def now(client: Client) -> float:
    assert isinstance(client.clock, FakeClock)
    return client.clock.now


def test_a_failing_check_does_not_stop_another_and_costs_no_wait() -> None:
    client = the_client()
    found = ran(client, a_check("a", fails), a_check("b", fine))
    assert found == [("a", False, "It is sick. very"), ("b", True, "fine")]
    assert now(client) == 0


def test_what_needs_a_failed_check_is_not_run_and_gives_the_first_reason() -> None:
    a = a_check("a", fails)
    b = a_check("b", fine, needs=a)
    found = ran(the_client(), a, b, a_check("c", fine, needs=b))
    reason = "not run: there is no a"
    assert found[1:] == [("b", False, reason), ("c", False, reason)]


def test_what_needs_a_check_that_passed_runs_in_the_same_look() -> None:
    client, a = the_client(), a_check("a", fine)
    assert ran(client, a, a_check("b", fine, needs=a))[1] == ("b", True, "fine")
    assert now(client) == 0


def test_a_check_that_is_not_well_yet_is_looked_at_again() -> None:
    checks = [
        a_check("a", at_last(NotYet("no"))),
        a_check("b", at_last(UnansweredError("no"))),
    ]
    assert [ok for _, ok, _ in ran(the_client(), *checks)] == [True, True]


def test_a_refusal_is_evidence_and_final() -> None:
    found = ran(the_client(), a_check("a", at_last(RefusedError("HTTP 403: no"))))
    assert found == [("a", False, "HTTP 403: no")]


def test_a_refusal_of_a_starting_api_server_is_not_final() -> None:
    starting = a_client(500, b"")
    refusals = [ForbiddenError("HTTP 403: no")] * 5
    found = ran(starting, a_check("a", at_last(*refusals)))
    assert found == [("a", True, "fine")]


def test_a_refusal_just_before_the_api_server_became_ready_is_not_final() -> None:
    found = ran(the_client(), a_check("a", at_last(ForbiddenError("HTTP 403: no"))))
    assert found == [("a", True, "fine")]


def test_a_refusal_after_the_api_server_became_ready_is_final() -> None:
    refusals = [ForbiddenError("HTTP 403: no")] * 2
    found = ran(the_client(), a_check("a", at_last(*refusals)))
    assert found == [("a", False, "HTTP 403: no")]


def test_all_checks_time_out_together() -> None:
    client, a = the_client(), a_check("a", never)
    found = ran(client, a, a_check("b", never), a_check("c", fine, needs=a))
    assert found == [
        ("a", False, "Timed out after 60 s waiting for a to be well. Last seen: nothing"),
        ("b", False, "Timed out after 60 s waiting for b to be well. Last seen: nothing"),
        ("c", False, "not run: there is no a"),
    ]
    assert now(client) == 60


def test_a_check_s_own_limit_counts_from_its_first_look() -> None:
    client, a = the_client(), a_check("a", at_last(NotYet("no")))
    b = a_check("b", never, needs=a)
    b.limit_s = 10
    assert ran(client, a, b)[1][2].startswith("Timed out after 10 s waiting for b")
    assert now(client) == 11


def test_every_look_is_reported_with_what_is_not_well() -> None:
    told: list[str] = []
    checks = [a_check("a", never), a_check("b", fine)]
    run_checks(the_client(), checks, timeout_s=25, report=told.append)
    assert [line.partition("; last seen: ")[2] for line in told] == ["a: nothing"] * 2
