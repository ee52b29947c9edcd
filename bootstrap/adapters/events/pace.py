"""Keep the number of reports of one piece of work small."""


class Pace:
    """Lets the first and the last report of a piece pass, and one in an interval between them."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._work = ""
        self._next_s = 0.0

    def allows(self, work: str, now_s: float, *, is_last: bool) -> bool:
        """Tell whether the report of ``work`` at ``now_s`` passes."""
        if work == self._work and now_s < self._next_s and not is_last:
            return False
        self._work, self._next_s = work, now_s + self._interval_s
        return True
