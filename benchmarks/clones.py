"""Clone one saved cluster again and again, and see that neither time nor memory grows.

    .venv/bin/python benchmarks/clones.py [CLONES [WORKERS]]

Prints a Markdown table for docs/explanation/benchmarks.md; ratios mean more than seconds. Ends
with 1 if a clone was not verified, or left something.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_BASE, _CLONE = "clones-base", "clones-one"
_MIB = 1 << 20
_BOOTSTRAP = str(Path(sys.executable).with_name("bootstrap"))


@dataclass(frozen=True, slots=True)
class _Clone:
    """What one clone took."""

    verified_s: float
    removed_s: float
    #: Of the host, before it was made.
    available_mib: int
    #: Domains and files of it after its removal.
    left: Sequence[str]


def main() -> None:
    """Make the snapshot if there is none, then the clones, each removed before the next."""
    count, workers = (int(word) for word in [*sys.argv[1:], *("10", "1")[len(sys.argv) - 1 :]])
    size = ("--workers", str(workers))
    _run("up", _BASE, *size, "--cached")
    _run("down", _BASE)
    snapshot = _run("snapshot", "key", *size, "-o", "name").strip()
    clones = []
    print("| clone | verified after s | removed after s | host's memory available before, MiB |")
    print("|---|---|---|---|")
    for number in range(1, count + 1):
        one = _clone(snapshot)
        clones.append(one)
        print(
            f"| {number} | {one.verified_s:.1f} | {one.removed_s:.1f} | {one.available_mib} |",
            flush=True,
        )
    first, last = clones[0], clones[-1]
    print(f"\nlast / first: {last.verified_s / first.verified_s:.2f} in time")
    left = [name for one in clones for name in one.left]
    print(f"left behind: {', '.join(left) or 'nothing'}")
    sys.exit(bool(left))


def _clone(snapshot: str) -> _Clone:
    available = psutil.virtual_memory().available // _MIB
    began = time.monotonic()
    _run("up", _CLONE, "--from", snapshot)
    verified = time.monotonic()
    _run("kubectl", _CLONE, "--", "get", "--raw", "/readyz")
    _run("down", _CLONE)
    removed = time.monotonic()
    known = json.loads(_run("list", "-o", "json"))
    left = [_CLONE for one in known if one["name"] == _CLONE]
    left += [
        process.name()
        for process in psutil.process_iter()
        if any(_CLONE in word for word in _words(process)) and process.pid != os.getpid()
    ]
    return _Clone(verified - began, removed - verified, available, left)


def _words(process: psutil.Process) -> Sequence[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _run(*words: str) -> str:
    return subprocess.run(
        [_BOOTSTRAP, *words], stdout=subprocess.PIPE, check=True, text=True
    ).stdout


if __name__ == "__main__":
    main()
