"""Wait for a named condition until a deadline, or for a key; the only place that sleeps."""

import select
import time
from collections.abc import Callable
from typing import TypeVar

from bootstrap.cancelling import check_cancelled
from bootstrap.errors import TimedOutError

T = TypeVar("T")

#: A wait reports what it saw at most this often.
REPORT_INTERVAL_S = 10


class NotYet(Exception):  # noqa: N818 - it is a state, not a failure
    """Raised by a check that needs more time; says what it saw."""


def wait_for(  # noqa: PLR0913 - the clock and the sleep are arguments so that tests need no patching
    description: str,
    check: Callable[[], T],
    *,
    timeout_s: float,
    interval_s: float = 2.0,
    hint: str = "",
    report: Callable[[str], None] = lambda _seen: None,
    sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - the one wait function
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Call ``check`` until it returns, and give back what it returned.

    Only :class:`NotYet` means "try again"; every other exception ends the wait at once,
    so that a wrong key does not cost ten minutes. What ``check`` saw last goes to ``report``
    every ten seconds of the wait.

    :raises TimedOutError: if ``timeout_s`` seconds pass first. Its details are the last
        thing that ``check`` saw, and its message has the time that passed.
    :raises Cancelled: if the run is cancelled.
    """
    began = reported = clock()
    deadline = began + timeout_s
    while True:
        check_cancelled()
        try:
            return check()
        except NotYet as pending:
            if (now := clock()) >= deadline:
                raise TimedOutError(
                    f"Timed out after {now - began:.0f} s waiting for {description}.",
                    details=f"Last seen: {pending}",
                    hint=hint,
                ) from pending
            if clock() - reported >= REPORT_INTERVAL_S:
                reported = clock()
                waited_s = reported - began
                report(f"waiting for {description} since {waited_s:.0f} s; last seen: {pending}")
        sleep(interval_s)


def pause(
    seconds: float,
    *,
    sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - see above
) -> None:
    """Do nothing for some seconds, since a server asked for it."""
    sleep(seconds)


def wait_for_input(descriptor: int, *, timeout_s: float) -> bool:
    """Wait until something can be read, and tell whether it can; False after ``timeout_s``."""
    return bool(select.select([descriptor], [], [], timeout_s)[0])
