"""Run the cluster's playbook on its nodes."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bootstrap.adapters.ansible.events import EventLog
from bootstrap.adapters.ansible.playbook import run_playbook
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.process import private
from bootstrap.adapters.reaper import TIMED_OUT, end_reaped, reaped
from bootstrap.cancelling import check_cancelled, is_cancelled
from bootstrap.errors import TimedOutError
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.ports import Events, PlaybookResult
from bootstrap.resources import resource_directory

_TIMEOUT_S = 900


class AnsiblePlaybookRunner:
    """Implements :class:`bootstrap.ports.PlaybookRunner`; see there for the promises."""

    def __init__(
        self, events: Events, *, playbooks: Path | None = None, timeout_s: int = _TIMEOUT_S
    ) -> None:
        self._events = events
        self._playbook = (playbooks or resource_directory("playbooks")) / "cluster.yml"
        self._timeout_s = timeout_s

    def run(
        self, plan: ClusterPlan, nodes: Sequence[NodePlan], *, secrets: Mapping[str, object]
    ) -> PlaybookResult:
        """See the port."""
        names = [node.name for node in nodes]
        timeout_s = self._timeout_s * plan.patience
        logs = private_directory(plan.state_directory / "logs")
        with (
            _empty_directory(plan.state_directory / "ansible") as directory,
            _socket_directory() as sockets,
            open(logs / "ansible.log", "a", encoding="utf-8", opener=private) as log,
        ):
            events = EventLog(
                started=self._events.node, line=lambda line: print(line, file=log, flush=True)
            )
            exit_code = run_playbook(
                self._playbook,
                directory,
                inventory=plan.state_directory / "inventory.yml",
                variables=secrets,
                events=events,
                limit=names,
                sockets=sockets,
                # ansible-runner's own time limit would end the first process alone, and it has
                # Ansible ignore the hangup of the terminal, the only sign of our death.
                supervised=partial(reaped, timeout_s=timeout_s, place=sockets),
                asked=partial(_end_if_cancelled, sockets),
            )
        check_cancelled()
        if exit_code == TIMED_OUT:
            message = f"Timed out after {timeout_s} s running the playbook."
            raise TimedOutError(message, hint=f"bootstrap logs {plan.name}")
        return events.result(names, hint=f"bootstrap logs {plan.name}")


def _end_if_cancelled(sockets: Path) -> None:
    if is_cancelled():
        end_reaped(sockets)


@contextlib.contextmanager
def _empty_directory(directory: Path) -> Iterator[Path]:
    """Make a private directory for the block, without what a killed run left in it."""
    shutil.rmtree(directory, ignore_errors=True)
    private_directory(directory)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _socket_directory() -> Iterator[Path]:
    """Make a directory with a short path: that of a socket has at most 108 bytes (S-05)."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    # A relative one is invalid, and after `su` it may be another user's.
    base = runtime if runtime.is_absolute() and os.access(runtime, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="bs-", dir=base) as directory:
        yield Path(directory)
