"""What every fake remembers: who asked for what, what it changed, what shall fail."""

from dataclasses import dataclass, field


@dataclass
class Journal:
    """The calls of all fakes of one world, in their order, as ``port.method object``."""

    calls: list[str] = field(default_factory=list)
    #: Only those that changed something.
    changes: list[str] = field(default_factory=list)
    #: ``port.method`` or ``port.method object`` -> what it raises, each time.
    failures: dict[str, Exception] = field(default_factory=dict)
    #: After how many changes the run ends as if it were killed.
    killed_after: int | None = None

    def clear(self) -> None:
        """Forget the calls, not what shall fail."""
        self.calls.clear()
        self.changes.clear()

    def changes_of(self, *ports: str) -> list[str]:
        return [call for call in self.changes if call.partition(".")[0] in ports]


class Fake:
    """A fake writes into its world's journal."""

    port = ""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal or Journal()

    def called(self, method: str, name: object = "") -> None:
        """Note a call, and fail if it shall."""
        call = f"{self.port}.{method} {name}".strip()
        self.journal.calls.append(call)
        for key in (call, f"{self.port}.{method}"):
            if key in self.journal.failures:
                raise self.journal.failures[key]

    def changed(self, method: str, name: object = "") -> bool:
        """Note that a call has changed something."""
        self.journal.changes.append(f"{self.port}.{method} {name}".strip())
        if len(self.journal.changes) == self.journal.killed_after:
            raise KeyboardInterrupt
        return True
