"""Measure what the command line takes before any work: help, completion and reading commands.

    .venv/bin/python benchmarks/command_line.py [ROUNDS]

Each command runs in turn with `python -c 'import click'`, which any program on click has to load.
The ratio of each pair is what carries over to another host. Needs no cluster and no daemon.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.marker import claim

_CLICK = (sys.executable, "-c", "import click")
_BOOTSTRAP = (sys.executable, "-m", "bootstrap")
_CLUSTERS = 20


@dataclass(frozen=True)
class Taken:
    """What one run took, in milliseconds."""

    wall: float
    processor: float


def take(argv: tuple[str, ...], environment: dict[str, str]) -> Taken:
    """Run a command to its end, whatever it prints and however it ends."""
    began = time.monotonic()
    process = subprocess.Popen(
        argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    return Taken(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def compare(argv: tuple[str, ...], environment: dict[str, str], rounds: int) -> str:
    """Describe a command: the medians of its time, and of its ratio to `import click`."""
    pairs = []
    for round_number in range(-1, rounds):
        pair = take(argv, environment), take(_CLICK, environment)
        if round_number >= 0:  # the first one fills caches
            pairs.append(pair)
    wall = statistics.median(ours.wall for ours, _ in pairs)
    ratio = statistics.median(ours.wall / click.wall for ours, click in pairs)
    busy = statistics.median(ours.processor / click.processor for ours, click in pairs)
    return f"{wall:8.0f} ms {ratio:10.2f} {busy:10.2f}"


def main(rounds: int) -> None:
    """Print a line for each command."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        (home / "node.xml").write_text("<node/>")
        (home / "state").mkdir()
        for number in range(_CLUSTERS):
            claim(home / "state" / f"demo{number}")
        environment = {**os.environ, "BOOTSTRAP_HOME": place}
        asking = {**environment, "_BOOTSTRAP_COMPLETE": "zsh"}
        libvirt = ("--hypervisor", f"test://{home}/node.xml")
        print(f"{'':26}{'wall':>11} {'/ click':>10} {'/ click, processor':>10}")
        for name, argv, variables in (
            ("--help", (*_BOOTSTRAP, "--help"), environment),
            ("completion of a cluster", (*_BOOTSTRAP, "status", "demo1"), asking),
            ("completion of an option", (*_BOOTSTRAP, "up", "--w"), asking),
            ("up --help", (*_BOOTSTRAP, "up", "--help"), environment),
            ("status of no cluster", (*_BOOTSTRAP, "status", "none", *libvirt), environment),
            ("list", (*_BOOTSTRAP, "list", *libvirt), environment),
        ):
            print(f"{name:26}{compare(argv, variables, rounds)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 15)
