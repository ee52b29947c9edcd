"""Keep the text of a guest or an archive from steering the user's terminal."""

import re

_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    # Marks that turn the direction of a text make it look other than it is.
    r"|[\u202a-\u202e\u2066-\u2069]"
)


def without_control_codes(text: str) -> str:
    """Remove what a guest's output could do to a terminal (SEC-15)."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Return the text as one line without control codes."""
    return " ".join(without_control_codes(text).splitlines())
