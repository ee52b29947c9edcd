"""Remembers what the user was told."""

from bootstrap.adapters.terminal import without_control_codes
from tests.fakes.recording import Fake, Journal


class FakeProgress(Fake):
    """Implements ``Progress``."""

    port = "progress"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        #: Everything, a line each, in its order.
        self.told: list[str] = []
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.nodes: list[tuple[str, str]] = []
        self._statuses: dict[str, str] = {}

    def step(self, title: str) -> None:
        self.steps.append(title)
        self._tell(title)

    def node(self, name: str, status: str) -> None:
        if self._statuses.get(name) == status:
            return
        self._statuses[name] = status
        self.nodes.append((name, status))
        self._tell(f"{name}: {status}")

    def note(self, text: str) -> None:
        self.notes.append(text)
        self._tell(text)

    def _tell(self, text: str) -> None:
        self.told.append(" ".join(without_control_codes(text).splitlines()))
