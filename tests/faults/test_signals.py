"""Signals and closed pipes at any moment: it ends, says so, and leaves no child (G-04)."""

import os
import signal
import time

import pytest

from tests.faults.conftest import Scale
from tests.faults.sandbox import DOCUMENTED, Sandbox

pytestmark = pytest.mark.timeout(14400)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SIGNALS = pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)


@SIGNALS
def test_a_signal_at_any_moment_ends_it_and_a_rerun_goes_on(
    sandbox: Sandbox, scale: Scale, number: signal.Signals
) -> None:
    """G-04, R-07, R-08, R-09: 30 of each verb, 500 in the long run."""
    lengths = sandbox.durations()
    slowest = 0.0
    for _ in range(scale.choose(ci=30, long=500)):
        for verb, length in zip(("up", "down"), lengths, strict=True):
            running = sandbox.start(verb, sandbox.name)
            time.sleep(sandbox.random.uniform(0, length))
            running.send(number)
            sent = time.monotonic()
            ended = running.end()
            slowest = max(slowest, time.monotonic() - sent)
            # Before the command has begun, Python's own way to end is as good.
            assert ended.exit_code in {0, CODES[number], -number}, str(ended)
            scale.count(f"exit {ended.exit_code}")
            getattr(sandbox, verb)()
    scale.count("slowest end, ms", round(slowest * 1000))


@SIGNALS
def test_a_command_that_hangs_ends_by_a_signal(sandbox: Sandbox, number: signal.Signals) -> None:
    """G-04: with the exit code that tells which, and the advice to run again."""
    running = sandbox.hanging()
    running.send(number)
    assert running.end().exit_code == CODES[number]
    sandbox.up()
    sandbox.down()


def test_a_second_interrupt_ends_it_at_once(sandbox: Sandbox, scale: Scale) -> None:
    """R-11: whatever the first one is doing; a rerun converges."""
    length, _ = sandbox.durations()
    for _ in range(scale.choose(ci=15, long=300)):
        running = sandbox.start("up", sandbox.name)
        time.sleep(sandbox.random.uniform(0, length))
        running.send(signal.SIGINT)
        time.sleep(sandbox.random.uniform(0, 0.01))
        running.send(signal.SIGINT)
        ended = running.end()
        assert ended.exit_code in {0, 130, -signal.SIGINT}, str(ended)
        scale.count(f"exit {ended.exit_code}")
        sandbox.down()


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
@pytest.mark.parametrize("verb", ["up", "list", "down"])
def test_a_reader_that_has_gone_is_no_failure_of_ours(
    sandbox: Sandbox, verb: str, closed: str
) -> None:
    """R-12: `| head -1`, or a session that has dropped."""
    if verb != "up":
        sandbox.up()
    words = [verb] if verb == "list" else [verb, sandbox.name]
    fifo = sandbox.place / "out" / "gone"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    running = sandbox.start(*words, **{closed: fifo})
    assert running.wait_for_file(running.began)
    os.close(reader)
    ended = running.end()
    # 141 is what a shell shows for a program that SIGPIPE has ended.
    assert ended.exit_code in DOCUMENTED | {141}, str(ended)
    assert not ended.stderr or "error" not in ended.stderr
    sandbox.up()
    sandbox.down()
