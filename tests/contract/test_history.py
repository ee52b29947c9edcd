"""The RunHistory port: the fake and the logs on disk keep the same."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.adapters.cluster_files import StateFiles
from bootstrap.adapters.events.history import LoggedRuns
from bootstrap.adapters.events.log import run_log
from bootstrap.adapters.events.stream import EventStream
from bootstrap.model.events import Status, Step
from bootstrap.model.names import ClusterName
from bootstrap.ports import ClusterFiles, EventReader, RunHistory
from tests.fakes.cluster_files import FakeClusterFiles
from tests.fakes.history import FakeHistory

DEMO, OTHER = ClusterName("demo"), ClusterName("other")


@dataclass
class Kept:
    """The history, what writes it, and the cluster's other files."""

    history: RunHistory
    files: ClusterFiles
    log: Callable[[ClusterName], AbstractContextManager[EventReader]]

    def run(self, name: str) -> None:
        events = EventStream(run=name)
        with (
            events.whole_run(f"bootstrap {name}"),
            self.log(DEMO) as log,
            events.attached(log),
            events.step(Step.BOOT, "Booting"),
        ):
            events.node("worker", "booting")


@pytest.fixture(params=["fake", "real"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "real":
        files = StateFiles(tmp_path)
        return Kept(LoggedRuns(tmp_path), files, lambda name: run_log(tmp_path / str(name)))
    fake_files = FakeClusterFiles()
    fake = FakeHistory(fake_files)

    return Kept(fake, fake_files, lambda name: nullcontext(fake.log(name)))


def test_a_run_is_kept_with_its_events(kept: Kept) -> None:
    kept.files.ensure_files(DEMO, {"kubeconfig": "x"})
    kept.run("a")
    assert list(kept.history.runs(DEMO)) == ["a"]
    found = kept.history.events(DEMO, "a")
    assert [(event.run, event.status, event.step, event.node, event.detail) for event in found] == [
        ("a", Status.STARTED, None, None, "bootstrap a"),
        ("a", Status.STARTED, Step.BOOT, None, "Booting"),
        ("a", Status.RUNNING, Step.BOOT, "worker", "booting"),
        ("a", Status.FINISHED, Step.BOOT, None, "Booting"),
        ("a", Status.FINISHED, None, None, "bootstrap a"),
    ]


def test_runs_are_listed_the_oldest_first_each_at_its_cluster(kept: Kept) -> None:
    kept.files.ensure_files(DEMO, {"kubeconfig": "x"})
    kept.files.ensure_files(OTHER, {"kubeconfig": "x"})
    for name in ("b", "a"):
        kept.run(name)
    assert list(kept.history.runs(DEMO)) == ["a", "b"]
    assert list(kept.history.runs(OTHER)) == []


def test_a_clusters_runs_are_gone_with_its_files(kept: Kept) -> None:
    kept.files.ensure_files(DEMO, {"kubeconfig": "x"})
    kept.run("a")
    kept.files.remove_files(DEMO)
    assert list(kept.history.runs(DEMO)) == []
