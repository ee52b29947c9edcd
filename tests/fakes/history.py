"""The runs of clusters, in memory."""

from collections.abc import Sequence

from bootstrap.model.events import Event
from bootstrap.model.names import ClusterName
from bootstrap.ports import EventReader
from tests.fakes.cluster_files import FakeClusterFiles


class FakeHistory:
    """Implements ``RunHistory``; a cluster's runs are gone with its files."""

    def __init__(self, files: FakeClusterFiles) -> None:
        self._files = files
        self._events: dict[str, dict[str, list[Event]]] = {}

    def runs(self, cluster: ClusterName) -> Sequence[str]:
        if cluster not in self._files.clusters():
            return []
        return sorted(self._events.get(str(cluster), {}))

    def events(self, cluster: ClusterName, run: str) -> Sequence[Event]:
        return self._events[str(cluster)][run]

    def log(self, cluster: ClusterName) -> EventReader:
        """Return what keeps the events of a run on the cluster."""
        return _Log(self._events.setdefault(str(cluster), {}))


class _Log:
    def __init__(self, runs: dict[str, list[Event]]) -> None:
        self._runs = runs

    def read(self, event: Event) -> None:
        self._runs.setdefault(event.run, []).append(event)
