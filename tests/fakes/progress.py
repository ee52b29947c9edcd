"""Remembers what the user was told."""

from tests.fakes.recording import Fake, Journal


class FakeProgress(Fake):
    """Implements ``Progress``."""

    port = "progress"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.nodes: list[tuple[str, str]] = []

    def step(self, title: str) -> None:
        self.steps.append(title)

    def node(self, name: str, status: str) -> None:
        self.nodes.append((name, status))

    def note(self, text: str) -> None:
        self.notes.append(text)
