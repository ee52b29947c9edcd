"""Judge a run of a playbook by what Ansible reports of each host, never by the exit code."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from bootstrap.adapters.process import tail
from bootstrap.errors import BootstrapError
from bootstrap.ports import PlaybookResult
from bootstrap.terminal import without_control_codes

#: Every playbook of ours ends with it: a host without its event is not done (A-02).
_LAST_TASK = "Finish"
#: Tasks without news for a reader: Ansible's own checks, and the start of a role.
_QUIET_TASKS = ("Validating arguments", "Make it a ", _LAST_TASK)


class EventLog:
    """Collects what each host did; :meth:`handle` is ansible-runner's event handler.

    ``started`` gets host and task when a task starts; ``line`` gets a line when one ends.
    """

    def __init__(
        self,
        *,
        line: Callable[[str], None],
        started: Callable[[str, str], None] = lambda _host, _task: None,
    ) -> None:
        self._started = started
        self._line = line
        self._changed: dict[str, int] = {}
        self._finished: set[str] = set()
        self._failures: dict[str, str] = {}
        self._messages: list[str] = []

    def handle(self, event: Mapping[str, Any]) -> bool:
        """Take one event; return False, so that ansible-runner does not keep it on disk."""
        data = event.get("event_data", {})
        host, task, result = data.get("host", ""), data.get("task", ""), data.get("res", {})
        title = f"{data['role']} : {task}" if data.get("role") else task
        match event.get("event"):
            case "runner_on_start" if not task.startswith(_QUIET_TASKS):
                self._started(host, task)
            case "runner_on_ok":
                self._ok(host, title, is_changed=bool(result.get("changed")))
            case "runner_on_failed" if not data.get("ignore_errors"):
                self._failed(host, f"{title}\n{_evidence(result)}")
            case "runner_on_unreachable":
                self._failed(host, f"{title}: unreachable\n{_evidence(result)}")
            case "verbose":
                self._messages.append(str(event.get("stdout", "")))
            case _:
                pass
        return False

    def _ok(self, host: str, title: str, *, is_changed: bool) -> None:
        self._changed[host] = self._changed.get(host, 0) + is_changed
        if title == _LAST_TASK:
            self._finished.add(host)
        self._line(f"{host}: {title}: {'changed' if is_changed else 'ok'}")

    def _failed(self, host: str, evidence: str) -> None:
        self._failures.setdefault(host, evidence)
        self._line(f"{host}: failed: {evidence}")

    def result(self, expected: Collection[str], *, hint: str = "") -> PlaybookResult:
        """Return what was done.

        :raises BootstrapError: if a host failed or did not reach the last task.
        """
        missing = sorted(set(expected) - self._finished)
        if missing:
            details = [f"{host}: {self._failures.get(host, 'ran no task')}" for host in missing]
            if not self._changed and not self._failures:
                # Ansible did not come to any task; what it printed says why.
                details.append(_printable("\n".join(self._messages)))
            raise BootstrapError(
                f"The playbook failed on {len(missing)} of {len(expected)} nodes.",
                details="\n".join(filter(None, details)),
                hint=hint,
            )
        return PlaybookResult(changed=dict(self._changed), finished=frozenset(self._finished))


def _evidence(result: Mapping[str, Any]) -> str:
    """Return what the task, or the failed items of its loop, printed."""
    items = [item for item in result.get("results", ()) if item.get("failed")] or [result]
    keys = ("msg", "stdout", "stderr", "module_stderr")
    parts = [str(item.get(key, "")) for item in items for key in keys]
    return _printable("\n".join(part for part in parts if part.strip()))


def _printable(text: str) -> str:
    # It goes into a log that a user will show on a terminal (SEC-15).
    return without_control_codes(tail(text))
