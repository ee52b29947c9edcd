"""Wait for an API server's answer."""

from collections.abc import Callable
from typing import TypeVar

from bootstrap.waiting import wait_for
from bootstrap.workflow.environment import SitePorts

T = TypeVar("T")

_API_TIMEOUT_S = 120


def wait_for_api(  # noqa: PLR0913 - all that the wait follows from
    goal: str,
    ask: Callable[[], T],
    ports: SitePorts,
    *,
    patience: int,
    hint: str,
    report: Callable[[str], None] | None = None,
) -> T:
    """Ask an API server until it answers, two minutes times ``patience`` at most.

    :raises TimedOutError: if it does not; ``goal`` says what was waited for.
    """
    return wait_for(
        goal,
        ask,
        timeout_s=_API_TIMEOUT_S * patience,
        hint=hint,
        report=report or ports.events.waiting,
    )
