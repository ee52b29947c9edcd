"""Time one `up` by phases, the life after it, and the same cluster without the tool.

    .venv/bin/python benchmarks/run.py [WORKERS]

Prints Markdown tables for docs/explanation/benchmarks.md; ratios mean more than seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from floor import Floor

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.host.resources import is_port_free
from bootstrap.adapters.image.debian import image_store, node_image
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.plan import Acceleration
from bootstrap.model.site import Site
from bootstrap.planning.members import members_of
from bootstrap.planning.plan import make_plan, wanted_slots
from bootstrap.planning.ports import choose_ports

_NAME, _TWIN = "benchmark", "benchmark-twin"
#: What a new cluster still does after it is verified is not what a look at it costs.
_REST_S = 120


def main() -> None:
    """Run both and print the table."""
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    tool, life = _time_tool(workers)
    _print_table("phase of `up`", tool)
    _print_table("command afterwards", life)
    floor = _time_floor(workers)
    _print_table("phase of the floor", floor)
    total, base, verify = sum(tool.values()), sum(floor.values()), tool["verify"]
    print(f"`up` {total:.0f} s, floor {base:.0f} s")
    print(f"`up` / floor: {total / base:.2f}; without verifying: {(total - verify) / base:.2f}")


def _print_table(title: str, seconds: Mapping[str, float]) -> None:
    print(f"| {title} | s |\n|---|---|")
    for name, spent in seconds.items():
        print(f"| {name} | {spent:.1f} |")
    print(flush=True)


def _time_tool(workers: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the seconds of each phase of `up`, and of each command after it."""
    bootstrap = str(Path(sys.executable).with_name("bootstrap"))
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "KUBECONFIG": f"{directory}/config"}

        def run(*words: str) -> bytes:
            command = [bootstrap, *words]
            return subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, check=True
            ).stdout

        life: dict[str, float] = {}
        try:
            made = run("up", _NAME, "--workers", str(workers), "-o", "json")
            time.sleep(_REST_S)
            for name, words in _looks():
                life[name] = _timed(run, words)
            network = str(Path(__file__).with_name("network.py"))
            # It prints its own failure, which does not make the times around it wrong.
            subprocess.run([sys.executable, network, _NAME], env=environment, check=False)
            for name, words in _changes(workers):
                life[name] = _timed(run, words)
        finally:
            run("down", _TWIN)
            life["`down`"] = _timed(run, ["down", _NAME, "--with-snapshots"])
    seconds: dict[str, float] = json.loads(made)["secondsByStep"]
    return seconds, life


def _timed(run: Callable[..., object], words: Sequence[str]) -> float:
    began = time.monotonic()
    run(*words)
    return time.monotonic() - began


def _looks() -> Iterator[tuple[str, Sequence[str]]]:
    """Name the commands that change nothing, each with its words, on a quiet cluster."""
    for name, verb in (("`status`", "status"), ("`verify`", "verify"), ("`up` again", "up")):
        for number in range(1, 4):
            yield f"{name}, number {number}", [verb, _NAME]


def _changes(workers: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Name the commands of a life, each with its words."""
    yield "`snapshot save`", ["snapshot", "save", _NAME, "bench"]
    yield "`snapshot restore`", ["snapshot", "restore", _NAME, "bench"]
    yield "`up --from`, beside it", ["up", _TWIN, "--from", f"{_NAME}/bench"]
    yield "`down` of the clone", ["down", _TWIN]
    yield "`up` with one more worker", ["up", _NAME, "--workers", str(workers + 1)]
    yield "`node remove` of it", ["node", "remove", _NAME, f"worker{workers + 1}"]
    yield "`stop`", ["stop", _NAME]
    yield "`start`", ["start", _NAME]


def _time_floor(workers: int) -> dict[str, float]:
    spec = load_spec(None, Flags(name=_NAME, workers=workers))
    directories = find_directories()
    with tempfile.TemporaryDirectory() as text:
        directory = Path(text)
        site = Site(
            install_id=uuid4(),
            hypervisor_uri="none",
            owner_uid=os.getuid(),
            state=directory,
            volumes=directory,
        )
        members = members_of(spec)
        ports = choose_ports(
            wanted_slots(site, members),
            seed=str(site.install_id),
            known={},
            taken=frozenset(),
            is_free=is_port_free,
        )
        image = node_image(image_store(directories).list()[-1])
        plan = make_plan(spec, site, members, ports, acceleration=Acceleration.EMULATED)
        floor = Floor(plan, image, directory)
        try:
            floor.run()
        finally:
            floor.stop()
    return floor.seconds


if __name__ == "__main__":
    main()
