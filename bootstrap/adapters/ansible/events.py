"""Judge a run from Ansible's own events, node by node, never from an exit code."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from bootstrap.adapters.terminal import without_control_codes
from bootstrap.errors import BootstrapError
from bootstrap.ports import PlaybookResult

_LAST_TASK = "Finish"
_TAIL_LINES = 20
#: Tasks that tell a reader nothing: Ansible's own checks, and where a role begins.
_QUIET_TASKS = ("Validating arguments", "Make it a ", _LAST_TASK)


class EventLog:
    """Collects what each node did; give :meth:`handle` to ansible-runner."""

    def __init__(self, *, started: Callable[[str, str], None], line: Callable[[str], None]) -> None:
        self._started = started
        self._line = line
        self._changed: dict[str, int] = {}
        self._finished: set[str] = set()
        self._failures: dict[str, str] = {}

    def handle(self, event: Mapping[str, Any]) -> bool:
        """Take one event; gives False so that ansible-runner does not keep it on disk."""
        data = event.get("event_data", {})
        host, task = str(data.get("host", "")), str(data.get("task", ""))
        match event.get("event"):
            case "runner_on_start" if not task.startswith(_QUIET_TASKS):
                self._started(host, task)
            case "runner_on_ok":
                self._ok(host, task, data.get("res", {}))
            case "runner_on_failed" if not data.get("ignore_errors"):
                self._failed(host, f"{task}\n{_evidence(data.get('res', {}))}")
            case "runner_on_unreachable":
                self._failed(host, f"{task}: unreachable\n{_evidence(data.get('res', {}))}")
            case _:
                pass
        return False

    def _ok(self, host: str, task: str, result: Mapping[str, Any]) -> None:
        changed = bool(result.get("changed"))
        self._changed[host] = self._changed.get(host, 0) + changed
        if task == _LAST_TASK:
            self._finished.add(host)
        self._line(f"{host}: {task}: {'changed' if changed else 'ok'}")

    def _failed(self, host: str, evidence: str) -> None:
        self._failures.setdefault(host, evidence)
        self._line(f"{host}: failed: {evidence}")

    def result(self, expected: Collection[str], *, hint: str) -> PlaybookResult:
        """Give what was done.

        :raises BootstrapError: if a node failed or did not come to the last task.
        """
        missing = sorted(set(expected) - self._finished)
        if missing:
            details = [f"{node}: {self._failures.get(node, 'ran no task')}" for node in missing]
            raise BootstrapError(
                f"The playbook failed on {len(missing)} of {len(expected)} nodes.",
                details="\n".join(details),
                hint=hint,
            )
        return PlaybookResult(changed=dict(self._changed), finished=frozenset(self._finished))


def _evidence(result: Mapping[str, Any]) -> str:
    parts = [str(result.get(key, "")) for key in ("msg", "stdout", "stderr", "module_stderr")]
    text = "\n".join(part for part in parts if part.strip())
    # It goes into a log that somebody will show on a terminal (SEC-15).
    return without_control_codes("\n".join(text.splitlines()[-_TAIL_LINES:]))
