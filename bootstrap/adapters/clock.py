"""The time of day, as it is written into marks, notes and manifests."""

import time
from datetime import UTC, datetime


def now_text() -> str:
    """Return the time of day in ISO 8601, in UTC and to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def seconds_since_epoch() -> float:
    """Return the time of day as certificates are compared with it."""
    return time.time()
