"""The real stream of events, which remembers them."""

from bootstrap.adapters.events.stream import EventStream
from bootstrap.model.events import Event, Progress, Status, Step

Seen = tuple[Status, Step | None, str | None, str]


class FakeEvents(EventStream):
    """Is its own reader."""

    def __init__(self) -> None:
        super().__init__(self)
        #: Status, step, node and detail of each event, in their order.
        self.seen: list[Seen] = []
        self.amounts: list[Progress] = []

    def read(self, event: Event) -> None:
        self.seen.append((event.status, event.step, event.node, event.detail))
        self.amounts += [event.progress] if event.progress else []

    @property
    def notes(self) -> list[str]:
        return [detail for status, _, _, detail in self.seen if status is Status.NOTE]

    @property
    def nodes(self) -> list[tuple[str | None, str]]:
        return [(node, detail) for status, _, node, detail in self.seen if status is Status.RUNNING]
