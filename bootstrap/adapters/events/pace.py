"""Keep the number of reports of each piece of work small."""


class Pace:
    """Lets the first and the last report of a piece pass, and one in an interval between them.

    Several pieces may be worked on at the same time.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        #: When the next report of each piece passes.
        self._next_s: dict[str, float] = {}

    def allows(self, work: str, now_s: float, *, is_last: bool) -> bool:
        """Tell whether the report of ``work`` at ``now_s`` passes."""
        if now_s < self._next_s.get(work, now_s) and not is_last:
            return False
        self._next_s[work] = now_s + self._interval_s
        return True
