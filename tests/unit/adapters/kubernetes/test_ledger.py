"""One line for each check, in order, whatever happens."""

from bootstrap.adapters.kubernetes.failures import RefusedError, UnansweredError
from bootstrap.adapters.kubernetes.ledger import Ledger
from bootstrap.errors import VerifyError


def fails() -> str:
    raise VerifyError("It is\nsick.", details="very")


def is_silent() -> str:
    raise UnansweredError("connection refused")


def lines(ledger: Ledger) -> list[tuple[str, bool, str]]:
    return [(result.name, result.ok, result.evidence) for result in ledger.results]


def test_a_failing_check_does_not_stop_the_next() -> None:
    ledger = Ledger(ask=lambda: "ok")
    ledger.run("a", fails)
    ledger.run("b", lambda: "fine")
    assert lines(ledger) == [("a", False, "It is sick. very"), ("b", True, "fine")]


def test_a_prerequisite_stops_the_next_with_its_reason() -> None:
    ledger = Ledger(ask=lambda: "ok")
    ledger.run("a", fails, blocks="there is no a")
    ledger.run("b", lambda: "fine")
    assert lines(ledger)[1] == ("b", False, "not run: there is no a")


def test_a_silent_server_stops_the_next() -> None:
    ledger = Ledger(ask=is_silent)
    ledger.run("a", fails)
    ledger.run("b", lambda: "fine")
    expected = "not run: the API server stopped answering: connection refused"
    assert lines(ledger)[1] == ("b", False, expected)


def test_a_prerequisite_that_is_fine_stops_nothing() -> None:
    ledger = Ledger(ask=is_silent)
    ledger.run("a", lambda: "fine", blocks="there is no a")
    ledger.run("b", lambda: "fine")
    assert all(result.ok for result in ledger.results)


def test_cleaning_up_runs_after_everything() -> None:
    ledger = Ledger(ask=is_silent)
    ledger.run("a", fails)
    assert ledger.run_always("b", lambda: "fine")


def test_a_refusal_is_evidence() -> None:
    def refused() -> str:
        raise RefusedError("HTTP 403: no")

    ledger = Ledger(ask=lambda: "ok")
    ledger.run("a", refused)
    assert lines(ledger) == [("a", False, "HTTP 403: no")]
