"""Kill a process at every moment at which it touches files, one after the other."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

#: Methods that write a file, whosever module calls them.
_WRITERS = ("write_text", "write_bytes")
_fork = multiprocessing.get_context("fork")


def killed_at(line: int, work: Callable[[], object], *, traced: Sequence[str]) -> bool:
    """Run ``work`` in a process that is killed before its ``line``-th line that touches files.

    Such are the lines of the modules whose paths end as ``traced`` says. False if the work
    has fewer lines, and so was done.
    """
    endings = tuple(traced)

    def child() -> None:
        count = 0

        def trace(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - a tracer
            nonlocal count
            code = frame.f_code
            if event == "line" and (code.co_name in _WRITERS or code.co_filename.endswith(endings)):
                count += 1
                if count > line:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)
        work()
        sys.settrace(None)

    process = _fork.Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
