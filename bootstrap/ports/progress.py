"""How a user is told what happens."""

from typing import Protocol


class Progress(Protocol):
    """Tells the user what happens, on stderr."""

    def step(self, title: str) -> None:
        """Begin a step; the one before it is done."""

    def node(self, name: str, status: str) -> None:
        """Say what a node does now."""

    def note(self, text: str) -> None:
        """Say one line that is worth keeping."""
