"""Work that makes one thing is done at the same time, and given up as a whole."""

import threading

import pytest

from bootstrap.cancelling import Cancelled, CancelToken, cancelled_by
from bootstrap.errors import BootstrapError, HostError
from bootstrap.threads import together
from bootstrap.waiting import NotYet, wait_for

PATIENCE_S = 30


def never() -> None:
    raise NotYet("nothing")


def wait() -> None:
    wait_for("nothing", never, timeout_s=PATIENCE_S)


def test_all_pieces_run_at_once_and_the_first_gives_the_result() -> None:
    meeting = threading.Barrier(3)
    result = together(
        lambda: meeting.wait(PATIENCE_S) >= 0,
        lambda: meeting.wait(PATIENCE_S),
        lambda: meeting.wait(PATIENCE_S),
    )
    assert result is True


def test_no_more_run_at_once_than_may() -> None:
    running, most = 0, 0
    lock, meeting = threading.Lock(), threading.Barrier(2)

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        meeting.wait(PATIENCE_S)
        with lock:
            running -= 1

    together(*[work] * 6, threads=2)
    assert most == 2


@pytest.mark.parametrize("place", [0, 1])
def test_a_failure_ends_what_is_waited_for(place: int) -> None:
    def fail() -> None:
        raise HostError("No mirror.", details="None is set.", hint="apt-get update")

    works = [wait, wait]
    works[place] = fail
    with pytest.raises(HostError, match="No mirror") as caught:
        together(*works)
    assert caught.value.details == "None is set."


def test_what_has_not_begun_does_not_begin_after_a_failure() -> None:
    begun: list[int] = []

    def fail() -> None:
        raise HostError("No.")

    with pytest.raises(HostError):
        together(fail, lambda: begun.append(1), threads=1)
    assert begun == []


def test_both_failures_are_reported() -> None:
    meeting = threading.Barrier(2)

    def fail(error: BootstrapError) -> None:
        meeting.wait(PATIENCE_S)
        raise error

    first = HostError("No mirror.", hint="sudo apt-get update")
    second = BootstrapError("No proxy.", details="It refuses.", hint="export GOPROXY=direct")
    with pytest.raises(HostError) as caught:
        together(lambda: fail(first), lambda: fail(second))
    assert caught.value.message == "No mirror."
    assert caught.value.details == "Also: No proxy. It refuses."
    assert caught.value.hint == "sudo apt-get update"


def test_a_cancelled_run_ends_all_pieces() -> None:
    token, waits = CancelToken(), threading.Barrier(2)

    def begin() -> None:
        waits.wait(PATIENCE_S)
        token.cancel()
        wait()

    with pytest.raises(Cancelled), cancelled_by(token):
        together(begin, begin)


def test_a_defect_is_not_hidden() -> None:
    def defect() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        together(wait, defect)
