"""Waiting on a clock of our own."""

from collections.abc import Callable

import pytest

from bootstrap.errors import TimedOutError, UsageError
from bootstrap.waiting import NotYet, wait_for


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait(clock: Clock, check: Callable[[], str], timeout_s: float = 10) -> str:
    return wait_for(
        "the end", check, timeout_s=timeout_s, hint="say so", sleep=clock.sleep, clock=clock
    )


def ready_at(clock: Clock, moment: float) -> Callable[[], str]:
    def check() -> str:
        if clock.now < moment:
            raise NotYet(f"saw {clock.now:.0f}")
        return "done"

    return check


def test_what_is_ready_costs_no_wait(clock: Clock) -> None:
    assert wait(clock, ready_at(clock, 0)) == "done"
    assert clock.now == 0


def test_what_comes_later_is_waited_for(clock: Clock) -> None:
    assert wait(clock, ready_at(clock, 5)) == "done"
    assert clock.now == 6


def test_what_is_ready_at_the_deadline_counts(clock: Clock) -> None:
    """N-01."""
    assert wait(clock, ready_at(clock, 10)) == "done"


def test_a_time_out_says_what_was_awaited_how_long_and_what_was_seen(clock: Clock) -> None:
    with pytest.raises(TimedOutError) as caught:
        wait(clock, ready_at(clock, 99))
    assert caught.value.message == "Timed out after 10 s waiting for the end."
    assert caught.value.details == "Last seen: saw 10"
    assert caught.value.hint == "say so"


def test_a_time_out_names_the_time_that_passed(clock: Clock) -> None:
    """A look that takes long ends after the limit; on 20 nodes it took 800 s instead of 90."""

    def look() -> str:
        clock.now += 700
        raise NotYet("nothing")

    with pytest.raises(TimedOutError) as caught:
        wait(clock, look)
    assert caught.value.message == "Timed out after 700 s waiting for the end."


def test_it_is_asked_at_least_once(clock: Clock) -> None:
    assert wait(clock, ready_at(clock, 0), timeout_s=0) == "done"


def test_any_other_error_ends_the_wait_at_once(clock: Clock) -> None:
    def check() -> str:
        raise UsageError("wrong key")

    with pytest.raises(UsageError):
        wait(clock, check)
    assert clock.now == 0


def test_what_was_seen_last_is_reported_every_ten_seconds(clock: Clock) -> None:
    reported: list[str] = []
    wait_for(
        "the end",
        ready_at(clock, 25),
        timeout_s=60,
        report=reported.append,
        sleep=clock.sleep,
        clock=clock,
    )
    assert reported == [
        "waiting for the end since 10 s; last seen: saw 10",
        "waiting for the end since 20 s; last seen: saw 20",
    ]
