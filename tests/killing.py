"""Kill a process before and after every change that it makes to a file, one after the other."""

import multiprocessing
import signal
from collections.abc import Callable

from tests.faults.injection import Injection

_fork = multiprocessing.get_context("fork")


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a process that is killed at its ``point``-th change of a file, from 1.

    False if it makes fewer changes, and so was done.
    """

    def child() -> None:
        fault = {"kind": "files", "at": point, "action": "kill"}
        Injection({"fault": fault}).install()
        work()

    process = _fork.Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
