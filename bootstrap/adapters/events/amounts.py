"""Write amounts and spans of time for people."""

from bootstrap.model.events import Progress, Unit

_MEGABYTE = 10**6


def amount(progress: Progress) -> str:
    """Return how much is done, as ``1200 of 2831 packages`` or ``12.3 of 61.9 MB``."""
    total = "" if progress.total is None else f" of {_number(progress.total, progress.unit)}"
    name = "MB" if progress.unit is Unit.BYTES else progress.unit.value
    return f"{_number(progress.done, progress.unit)}{total} {name}"


def _number(value: int, unit: Unit) -> str:
    return f"{value / _MEGABYTE:.1f}" if unit is Unit.BYTES else str(value)


def span(seconds: float) -> str:
    """Return a span of time as ``12 s``, ``3:07`` or ``1:02:03``."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
