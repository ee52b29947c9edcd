"""keep-clock, run by a real bash with a hardware clock, an uptime and a date of our own."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.resources import resource_directory

PROGRAM = resource_directory("playbooks") / "roles/os_baseline/files/keep-clock"
FAKE_DATE = """#!/bin/sh
echo "$@" >>"$FAKE_LOG"
"""
BEGAN, UP = 1_790_000_000, 500


class Machine:
    """Its clocks are pipes, so the program reads each value that a test gives once."""

    def __init__(self, root: Path) -> None:
        self._clock, self._uptime, self._log = root / "clock", root / "uptime", root / "log"
        for pipe in (self._clock, self._uptime):
            os.mkfifo(pipe)
        (root / "date").write_text(FAKE_DATE)
        (root / "date").chmod(0o755)
        environment = {
            "PATH": f"{root}:{os.environ['PATH']}",
            "HARDWARE_CLOCK": str(self._clock),
            "UPTIME": str(self._uptime),
            "INTERVAL_S": "0.01",
            "FAKE_LOG": str(self._log),
        }
        self.program = subprocess.Popen(["/bin/bash", str(PROGRAM)], env=environment)

    def shows(self, passed: int, *, missed: int = 0) -> None:
        """Let the program look after ``passed`` seconds, of which the guest missed some."""
        # Opening one waits until the program is done with the other.
        self._clock.write_text(f"{BEGAN + passed}\n")
        self._uptime.write_text(f"{UP + passed - missed}.99 1000.00\n")

    @property
    def calls(self) -> list[str]:
        """Return how `date` was called, up to the look before the last one."""
        return self._log.read_text().splitlines() if self._log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    made.shows(0)
    yield made
    made.program.kill()
    made.program.wait()


def test_a_machine_that_stood_still_gets_the_time_of_its_hardware_clock(machine: Machine) -> None:
    """D-03: without any command of a user, and once for each time."""
    machine.shows(1)
    machine.shows(601, missed=599)
    machine.shows(602, missed=599)
    assert machine.calls == [f"-s @{BEGAN + 601}"]
    machine.shows(902, missed=898)
    machine.shows(903, missed=898)
    assert machine.calls == [f"-s @{BEGAN + passed}" for passed in (601, 902)]


def test_many_short_stops_are_one_long_one(machine: Machine) -> None:
    for stops in range(1, 4):
        machine.shows(10 * stops, missed=stops)
    machine.shows(31, missed=3)
    assert machine.calls == [f"-s @{BEGAN + 30}"]


def test_time_that_passes_is_no_stop(machine: Machine) -> None:
    """Each of the two clocks may show its next second first."""
    for passed in (10, 20, 30):
        machine.shows(passed, missed=1)
        machine.shows(passed + 1, missed=-1)
    machine.shows(3600)
    assert machine.calls == []


def test_a_host_whose_clock_was_set_back_does_not_hide_the_next_stop(machine: Machine) -> None:
    machine.shows(10, missed=-7200)
    machine.shows(11, missed=-7200)
    assert machine.calls == []
    machine.shows(61, missed=-7150)
    machine.shows(62, missed=-7150)
    assert machine.calls == [f"-s @{BEGAN + 61}"]
