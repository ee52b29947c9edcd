"""How long and how often to ask: one clock for all checks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bootstrap.adapters.kubernetes.failures import UnansweredError
from bootstrap.waiting import NotYet, wait_for

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The clock, and how much slower than real hardware the nodes are."""

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    patience: int

    @property
    def interval_s(self) -> float:
        """Seconds between two looks; each look costs an emulated node dear."""
        return 2.0 if self.patience == 1 else 5.0

    def wait(
        self, description: str, check: Callable[[], T], *, timeout_s: float, hint: str = ""
    ) -> T:
        """Repeat ``check`` while the API server does not answer or the check says not yet."""
        return wait_for(
            description,
            lambda: answered(check),
            timeout_s=timeout_s * self.patience,
            interval_s=self.interval_s,
            hint=hint,
            sleep=self.sleep,
            clock=self.clock,
        )


def answered(check: Callable[[], T]) -> T:
    """Call ``check``; an API server that does not answer is "not yet".

    :raises NotYet: saying what was seen instead of an answer.
    """
    try:
        return check()
    except UnansweredError as error:
        raise NotYet(str(error)) from error
