"""How a user is told what happens."""

from typing import Protocol


class Progress(Protocol):
    """Tells the user what happens, on stderr.

    What is told is one line each, without what a guest could do to a terminal.
    """

    def step(self, title: str) -> None:
        """Begin a step; the one before it is done."""

    def node(self, name: str, status: str) -> None:
        """Say what a node does now; the same again is not said again."""

    def note(self, text: str) -> None:
        """Say one line that is worth keeping."""
