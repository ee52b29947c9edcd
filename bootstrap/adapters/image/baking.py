"""Report how far the baking of a node image is, from what its worker prints."""

import re

import yaml

from bootstrap.adapters.image.bake import PHASE
from bootstrap.model.events import Unit
from bootstrap.ports import Events
from bootstrap.resources import resource_directory

#: A task that has ended: the host, the task, and what became of it.
_ENDED = re.compile(r"\S+: .*: (?:ok|changed)")
_TASK = re.compile(r"^ *- name: ", re.MULTILINE)


class BakeOutput:
    """Reports each phase, and how many tasks of the playbook have ended."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._done, self._total = 0, task_count()

    def take(self, line: str) -> None:
        """Take a line of the worker's output."""
        if line.startswith(PHASE):
            self._events.note(f"Building the node image: {line.removeprefix(PHASE)}")
        elif _ENDED.fullmatch(line):
            self._done += 1
            total = max(self._done, self._total)
            self._events.progress("Building the node image", self._done, total, Unit.TASKS)


def task_count() -> int:
    """Return how many tasks the image's playbook has; conditions may leave some out."""
    playbooks = resource_directory("playbooks")
    (play,) = yaml.safe_load((playbooks / "node-image.yml").read_text())
    places = [playbooks / "roles" / role["role"] / "tasks" for role in play["roles"]]
    texts = [file.read_text() for place in places for file in place.glob("*.yml")]
    return len(play["tasks"]) + sum(len(_TASK.findall(text)) for text in texts)
