"""Time one `up` by phases, and the same cluster without the tool, in one run.

    .venv/bin/python benchmarks/run.py [WORKERS]

Prints a Markdown table for docs/benchmarks.md; ratios mean more than seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from floor import Floor

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.host.resources import is_port_free
from bootstrap.adapters.image.store import ImageStore
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.plan import Acceleration
from bootstrap.planning.plan import Site, make_plan, wanted_slots
from bootstrap.planning.ports import choose_ports

_NAME = "benchmark"


def main() -> None:
    """Run both and print the table."""
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    tool, verify = _time_tool(workers)
    floor = _time_floor(workers)
    total, base = sum(tool.values()), sum(floor.values())
    print("| phase of `up` | s |\n|---|---|")
    for phase, seconds in tool.items():
        print(f"| {phase} | {seconds:.0f} |")
    print(f"| **`up` in all** | **{total:.0f}** |\n")
    print("| phase of the floor | s |\n|---|---|")
    for phase, seconds in floor.items():
        print(f"| {phase} | {seconds:.0f} |")
    print(f"| **floor in all** | **{base:.0f}** |\n")
    print(f"`up` / floor: {total / base:.2f}; without verifying: {(total - verify) / base:.2f}")


def _time_tool(workers: int) -> tuple[dict[str, float], float]:
    bootstrap = str(Path(sys.executable).with_name("bootstrap"))
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "KUBECONFIG": f"{directory}/config"}
        try:
            done = subprocess.run(
                [bootstrap, "up", _NAME, "--workers", str(workers), "-o", "json"],
                env=environment,
                stdout=subprocess.PIPE,
                check=True,
            )
        finally:
            began = time.monotonic()
            subprocess.run([bootstrap, "down", _NAME], env=environment, check=True)
            print(f"`down` took {time.monotonic() - began:.0f} s.\n")
    seconds: dict[str, float] = json.loads(done.stdout)["secondsByStep"]
    return seconds, seconds["Verifying the cluster"]


def _time_floor(workers: int) -> dict[str, float]:
    spec = load_spec(None, Flags(name=_NAME, workers=workers))
    directories = find_directories()
    with tempfile.TemporaryDirectory() as text:
        directory = Path(text)
        site = Site(
            install_id=uuid4(),
            hypervisor_uri="none",
            acceleration=Acceleration.EMULATED,
            state_directory=directory,
            volume_directory=directory,
        )
        ports = choose_ports(wanted_slots(spec), known={}, taken=frozenset(), is_free=is_port_free)
        image = ImageStore(directory=directories.images).list()[-1]
        floor = Floor(make_plan(spec, site, ports), image, directory)
        try:
            floor.run()
        finally:
            floor.stop()
    return floor.seconds


if __name__ == "__main__":
    main()
