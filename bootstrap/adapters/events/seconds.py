"""Count the seconds of each step."""

from bootstrap.model.events import Event, Status, Step


class StepSeconds:
    """Knows how long each step took that has ended."""

    def __init__(self) -> None:
        self._began: dict[Step, float] = {}
        self._seconds: dict[Step, float] = {}

    def read(self, event: Event) -> None:
        """See :class:`bootstrap.ports.EventReader`."""
        if event.step is None:
            return
        match event.status:
            case Status.STARTED:
                self._began[event.step] = event.elapsed_s
            case Status.FINISHED | Status.FAILED:
                # A signal can end a step before its start was read.
                took = event.elapsed_s - self._began.pop(event.step, event.elapsed_s)
                self._seconds[event.step] = self._seconds.get(event.step, 0) + took
            case _:
                pass

    def running(self, now_s: float) -> dict[str, float]:
        """Return how long each step has taken until now that has not ended, by its id."""
        return {step.value: now_s - began for step, began in self._began.items()}

    def by_step(self) -> dict[str, float]:
        """Return seconds by the id of a step, to a tenth, in the order in which steps ended."""
        return {step.value: round(seconds, 1) for step, seconds in self._seconds.items()}
