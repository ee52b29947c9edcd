"""A run is judged by what each node did, in whatever order the events arrive."""

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
    """H-16: ansible-runner keeps those for which the handler returns True."""
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


def test_a_failure_that_the_playbook_ignores_does_not_count(log: Log) -> None:
    log.say("runner_on_failed", ignore_errors=True, res={"msg": "never mind"})
    log.say("runner_on_ok", task="Finish", res={})
    assert log.events.result(["a"], hint="").finished == {"a"}
    assert "never mind" not in "\n".join(log.lines)


def test_a_node_out_of_reach_is_reported(log: Log) -> None:
    log.say("runner_on_unreachable", res={"msg": "Connection refused"})
    assert log.failure("a") == "a: Task: unreachable\nConnection refused"


def test_evidence_is_the_end_of_the_output(log: Log) -> None:
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


def test_tasks_without_news_are_not_reported(log: Log) -> None:
    log.say("runner_on_start", task="Join the cluster")
    for quiet in ("Finish", "Validating arguments against arg spec main - x"):
        log.say("runner_on_start", task=quiet)
    assert log.started == [("a", "Join the cluster")]


def test_a_task_of_a_role_is_named_with_its_role(log: Log) -> None:
    log.say("runner_on_ok", task="Ensure it is there", role="containerd", res={"changed": True})
    log.say("runner_on_failed", task="Ensure it runs", role="containerd", res={"msg": "no"})
    assert log.lines[0] == "a: containerd : Ensure it is there: changed"
    assert log.failure("a") == "a: containerd : Ensure it runs\nno"


def test_evidence_of_a_loop_is_that_of_its_failed_items(log: Log) -> None:
    items = [{"msg": "fine", "failed": False}, {"msg": "", "stderr": "no space", "failed": True}]
    log.say("runner_on_failed", res={"msg": "One or more items failed", "results": items})
    assert log.failure("a") == "a: Task\nno space"


def test_the_output_of_ansible_is_the_evidence_if_no_task_ran(log: Log) -> None:
    log.events.handle({"event": "verbose", "stdout": "ERROR! \x1b[31mno such module"})
    assert log.failure("a") == "a: ran no task\nERROR! no such module"


def test_the_output_of_ansible_is_left_out_if_a_task_ran(log: Log) -> None:
    log.events.handle({"event": "verbose", "stdout": "[WARNING]: something"})
    log.say("runner_on_ok", "b", res={})
    assert log.failure("a") == "a: ran no task"
