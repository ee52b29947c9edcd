"""A token ends what a run waits for, in all threads of the run, and nothing of another run."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bootstrap.adapters.process import run, stream
from bootstrap.cancelling import (
    Cancelled,
    CancelToken,
    cancelled_by,
    check_cancelled,
    is_cancelled,
    when_cancelled,
)
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet, wait_for

PATIENCE_S = 30


def never() -> None:
    raise NotYet("nothing")


def test_without_a_token_nothing_is_cancelled() -> None:
    check_cancelled()
    with cancelled_by(None), when_cancelled(lambda: None):
        assert not is_cancelled()


def test_a_wait_ends_at_its_next_look(slept: list[float]) -> None:
    token = CancelToken()

    def look() -> None:
        if len(slept) == 3:
            token.cancel()
        never()

    with pytest.raises(Cancelled), cancelled_by(token):
        wait_for("nothing", look, timeout_s=1000)
    assert len(slept) == 4


def test_only_the_block_looks_at_the_token() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled), cancelled_by(token):
        check_cancelled()
    check_cancelled()
    with pytest.raises(Cancelled), cancelled_by(token), cancelled_by(None), cancelled_by(token):
        check_cancelled()


def test_work_at_once_comes_to_its_end_and_no_more_begins() -> None:
    token, begun = CancelToken(), []

    def work(number: int) -> None:
        begun.append(number)
        token.cancel()
        check_cancelled()

    with pytest.raises(Cancelled), cancelled_by(token):
        at_once(work, range(5), threads=1)
    assert begun == [0]


def test_a_run_that_is_cancelled_during_its_last_work_is_cancelled() -> None:
    token = CancelToken()
    with pytest.raises(Cancelled), cancelled_by(token):
        at_once(lambda _: token.cancel(), [1])


def test_another_thread_ends_what_the_block_waits_for() -> None:
    token, blocked, ended = CancelToken(), threading.Event(), threading.Event()

    def wait() -> None:
        with cancelled_by(token), when_cancelled(ended.set):
            blocked.set()
            assert ended.wait(PATIENCE_S)
            raise OSError("the connection was closed")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        assert blocked.wait(PATIENCE_S)
        token.cancel()
        assert isinstance(waiting.exception(PATIENCE_S), Cancelled)


def test_a_block_that_begins_too_late_does_not_begin() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled), cancelled_by(token), when_cancelled(lambda: None):
        pytest.fail("it began")


def test_an_action_is_forgotten_with_its_block() -> None:
    token, called = CancelToken(), []
    with cancelled_by(token), when_cancelled(lambda: called.append(1)):
        pass
    token.cancel()
    assert called == []


def run_cat(place: Path) -> None:
    run(["/bin/sh", "-c", f"echo > {place}; exec sleep 1000"], action="sleep", timeout_s=2000)


def stream_cat(place: Path) -> None:
    words = ["/bin/sh", "-c", f"echo > {place}; sleep 1000"]
    stream(words, action="sleep", log=place.with_name("log"), line=lambda _: None)


@pytest.mark.runs_programs
@pytest.mark.parametrize("program", [run_cat, stream_cat])
def test_a_program_ends_with_its_run(program: Callable[[Path], None], tmp_path: Path) -> None:
    """No child process is left: a guard around every test looks."""
    token, place = CancelToken(), tmp_path / "begun"

    def wait() -> None:
        with cancelled_by(token):
            program(place)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(wait)
        wait_for("the program", lambda: _exists(place), timeout_s=PATIENCE_S, interval_s=0.02)
        token.cancel()
        assert isinstance(running.exception(PATIENCE_S), Cancelled)


def _exists(place: Path) -> None:
    if not place.exists():
        raise NotYet("not begun")
