"""Wait for a named condition until a deadline; the only place that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

from bootstrap.errors import TimedOutError

T = TypeVar("T")


class NotYet(Exception):  # noqa: N818 - it is a state, not a failure
    """Raised by a check that needs more time; says what it saw."""


def wait_for(  # noqa: PLR0913 - the clock and the sleep are arguments so that tests need no patching
    description: str,
    check: Callable[[], T],
    *,
    timeout_s: float,
    interval_s: float = 2.0,
    hint: str = "",
    sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - the one wait function
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Call ``check`` until it returns, and give back what it returned.

    Only :class:`NotYet` means "try again"; every other exception ends the wait at once,
    so that a wrong key does not cost ten minutes.

    :raises TimedOutError: if ``timeout_s`` seconds pass first. Its details are the last
        thing that ``check`` saw.
    """
    deadline = clock() + timeout_s
    while True:
        try:
            return check()
        except NotYet as pending:
            if clock() >= deadline:
                raise TimedOutError(
                    f"Timed out after {timeout_s:.0f} s waiting for {description}.",
                    details=f"Last seen: {pending}",
                    hint=hint,
                ) from pending
        sleep(interval_s)
