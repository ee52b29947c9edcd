"""Keep what a guest or an archive says from steering the user's terminal."""

import re

_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    # What makes a text look other than it is: the marks that turn its direction.
    r"|[\u202a-\u202e\u2066-\u2069]"
)


def without_control_codes(text: str) -> str:
    """Take out what a guest could do to a terminal with its output (SEC-15)."""
    return _CONTROL.sub("", text)
