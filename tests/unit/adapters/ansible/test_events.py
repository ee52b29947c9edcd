"""A run is judged from what each node did, whatever order the events come in."""

from typing import Any

import pytest

from bootstrap.adapters.ansible.events import EventLog
from bootstrap.errors import BootstrapError


class Log:
    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.events = EventLog(
            started=lambda host, task: self.started.append((host, task)), line=self.lines.append
        )

    def say(self, kind: str, host: str = "a", task: str = "Task", **data: Any) -> bool:  # noqa: ANN401
        event = {"event": kind, "event_data": {"host": host, "task": task, **data}}
        return self.events.handle(event)

    def failure(self, *expected: str) -> str:
        with pytest.raises(BootstrapError) as caught:
            self.events.result(expected, hint="bootstrap logs demo")
        return caught.value.details


@pytest.fixture
def log() -> Log:
    return Log()


def test_no_event_is_kept_on_disk(log: Log) -> None:
    """H-16: ansible-runner keeps those for which the handler gives True."""
    for kind in ("runner_on_ok", "runner_on_failed", "runner_on_start", "verbose", "x"):
        assert log.say(kind, res={}) is False
    assert log.events.handle({"event": "x"}) is False


def test_a_node_is_done_only_at_the_last_task(log: Log) -> None:
    """A-02."""
    log.say("runner_on_ok", "a", "Finish", res={})
    log.say("runner_on_ok", "b", "Task", res={"changed": True})
    assert log.failure("a", "b") == "b: ran no task"
    log.say("runner_on_ok", "b", "Finish", res={})
    result = log.events.result(["a", "b"], hint="")
    assert result.changed == {"a": 0, "b": 1}
    assert result.finished == {"a", "b"}


def test_no_node_at_all_is_a_failure(log: Log) -> None:
    assert log.failure("a", "b").splitlines() == ["a: ran no task", "b: ran no task"]


def test_the_first_failure_of_a_node_is_the_one_that_counts(log: Log) -> None:
    log.say("runner_on_failed", task="First", res={"msg": "one"})
    log.say("runner_on_failed", task="Second", res={"msg": "two"})
    assert log.failure("a") == "a: First\none"


def test_a_failure_that_is_ignored_is_none(log: Log) -> None:
    log.say("runner_on_failed", ignore_errors=True, res={"msg": "never mind"})
    log.say("runner_on_ok", task="Finish", res={})
    assert log.events.result(["a"], hint="").finished == {"a"}
    assert "never mind" not in "\n".join(log.lines)


def test_a_node_that_failed_before_a_handlers_finish_is_told(log: Log) -> None:
    log.say("runner_on_unreachable", res={"msg": "Connection refused"})
    assert log.failure("a") == "a: Task: unreachable\nConnection refused"


def test_evidence_is_the_last_lines_of_what_was_said(log: Log) -> None:
    out = "\n".join(f"line {number}" for number in range(100))
    log.say("runner_on_failed", res={"msg": "", "stdout": out, "stderr": "the reason", "rc": 1})
    lines = log.failure("a").splitlines()
    assert lines[-1] == "the reason"
    assert lines[-2] == "line 99"
    assert len(lines) == 21


def test_a_censored_result_is_still_a_failure(log: Log) -> None:
    """A-05."""
    log.say("runner_on_failed", res={"censored": "hidden", "changed": False})
    assert log.failure("a").startswith("a: Task")


def test_the_user_sees_tasks_that_say_something(log: Log) -> None:
    log.say("runner_on_start", task="Join the cluster")
    for quiet in ("Finish", "Validating arguments against arg spec main - x"):
        log.say("runner_on_start", task=quiet)
    assert log.started == [("a", "Join the cluster")]
