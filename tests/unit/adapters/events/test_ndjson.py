"""Events as NDJSON: their documented form, line by line."""

import contextlib
import json
import os
from pathlib import Path

import jsonschema
import pytest

from bootstrap.adapters.events.ndjson import SCHEMA, Ndjson, appending
from bootstrap.errors import BootstrapError, HostError, UsageError
from bootstrap.model.events import Status, Step, Unit
from tests.unit.adapters.events.conftest import Begin

GOLDEN = Path(__file__).parents[3] / "data" / "golden" / "events.ndjson"


def every_status(begin: Begin) -> list[bytes]:
    """Return the lines of a run with one event of each status at least."""
    lines: list[bytes] = []
    events = begin(Ndjson(lines.append))
    with contextlib.suppress(HostError), events.whole_run("bootstrap up"):
        with events.step(Step.BOOT, "Booting the nodes"):
            events.command("virsh -c qemu:///session start demo-worker")
            events.node("demo-worker", "booting")
            events.waiting("waiting for SSH; last seen: é", node="demo-worker")
            events.note("No KVM")
            events.node("demo-worker", "booted", is_done=True)
            events.progress("Copying", 3, 4, Unit.BYTES)
        events.result = {"name": "demo"}
        with events.step(Step.JOIN, "Joining the workers"):
            raise HostError("No disk.")
    return lines


def test_the_lines_are_the_golden_ones(begin: Begin) -> None:
    assert b"".join(every_status(begin)) == GOLDEN.read_bytes()


def test_each_line_is_as_the_schema_says(begin: Begin) -> None:
    lines = [json.loads(line) for line in every_status(begin)]
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for line in lines:
        validator.validate(line)
        assert (line["error"] is not None) == (line["status"] == "failed")
    assert {line["status"] for line in lines} == {status.value for status in Status}


def test_a_line_is_in_the_file_as_soon_as_it_happened(begin: Begin, tmp_path: Path) -> None:
    """A process that is killed leaves whole lines, and all that happened."""
    file = tmp_path / "events.ndjson"
    with appending(file) as write:
        events = begin(Ndjson(write))
        for count in range(1, 4):
            events.note("x" * 100_000)
            lines = file.read_text().splitlines(keepends=True)
            assert len(lines) == count
            assert all(line.endswith("}\n") and json.loads(line) for line in lines)
    assert file.stat().st_mode & 0o777 == 0o600


def test_events_are_appended_to_a_file_that_exists(begin: Begin, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    for _ in range(2):
        with appending(file) as write:
            begin(Ndjson(write)).note("x")
    assert len(file.read_text().splitlines()) == 2


def test_a_file_that_cannot_be_opened_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught, appending(tmp_path / "none" / "x"):
        pass
    assert "none/x" in caught.value.message


def test_a_pipe_whose_reader_has_gone_ends_the_command(begin: Begin, tmp_path: Path) -> None:
    """R-12."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with appending(fifo) as write:
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            begin(Ndjson(write)).note("x")


def test_a_full_disk_is_explained(begin: Begin) -> None:
    with appending(Path("/dev/full")) as write, pytest.raises(BootstrapError) as caught:
        begin(Ndjson(write)).note("x")
    assert caught.value.message == "Could not write the events to file '/dev/full'."
