"""How far baking is, from what the worker prints."""

from collections.abc import Iterator
from typing import Any

import yaml

from bootstrap.adapters.image.baking import BakeOutput, task_count
from bootstrap.model.events import Status
from bootstrap.resources import resource_directory
from tests.fakes.events import FakeEvents


def test_phases_are_notes_and_tasks_are_counted() -> None:
    events = FakeEvents()
    output = BakeOutput(events)
    for line in ("== run the playbook", "node_image: seal : Remove keys: changed", "took 3 s: x"):
        output.take(line)
    assert [(status, detail) for status, _, _, detail in events.seen] == [
        (Status.NOTE, "Building the node image: run the playbook"),
        (Status.PROGRESS, "Building the node image"),
    ]


def test_more_tasks_than_were_expected_are_no_more_than_all() -> None:
    events = FakeEvents()
    output = BakeOutput(events)
    for _ in range(task_count() + 3):
        output.take("node_image: Finish: ok")
    assert events.amounts[-1].done == events.amounts[-1].total == task_count() + 3


def test_every_task_of_the_roles_is_counted() -> None:
    roles = resource_directory("playbooks") / "roles"
    named = sum(
        "name" in task
        for role in ("os_baseline", "containerd", "kubernetes_binaries", "container_images", "seal")
        for file in (roles / role / "tasks").iterdir()
        for task in tasks_in(yaml.safe_load(file.read_text()))
    )
    assert task_count() == named + 1 > 20


def tasks_in(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """List tasks with those of their blocks."""
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part, []))
