"""H-09, SEC-15: what a guest prints moves no cursor, sets no title and types no command."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from bootstrap.adapters.ansible.events import EventLog
from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.ports import CheckResult, ShellResult
from bootstrap.waiting import NotYet
from tests.faults.guests import Api, Guests, Memory
from tests.faults.ownership.world import HostWorld, host_world

#: Real sequences: each does something to a terminal of today.
ESCAPES = {
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4K\x1b\\",
    "link": "\x1b]8;;http://example.com\x1b\\here\x1b]8;;\x1b\\",
    "screen cleared": "\x1b[2J\x1b[H",
    "other screen": "\x1b[?1049h",
    "colour": "\x1b[31m",
    "colour by C1": "\x9b31m",
    "answer typed": "\x1b[6n\x1b[c",
    "answer of settings": '\x1bP$q"p\x1b\\',
    "keys made": "\x1b[?1000h",
    "line written over": "all is well\rFAILED",
    "deleted": "x\x08 \x7f",
    "bell": "\x07",
    "reset": "\x1bc",
    "direction turned": "\u202etxt.exe",
}
HOSTILE = "kubelet: " + " ".join(ESCAPES.values()) + " end"
_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> None:
    """Check that the guest was quoted, and that nothing of it is obeyed."""
    assert "end" in text
    assert _BAD.findall(text) == []


@pytest.fixture
def world(tmp_path: Path, _nothing_left: None) -> Iterator[HostWorld]:
    with host_world(tmp_path) as made:
        yield made


@pytest.fixture
def demo(world: HostWorld) -> HostWorld:
    assert world.run("up", "demo").exit_code == 0
    return world


@pytest.fixture
def sick(demo: HostWorld, monkeypatch: pytest.MonkeyPatch) -> HostWorld:
    """A cluster of which a check fails with the guest's words."""
    checks = [CheckResult(name="nodes", ok=False, evidence=HOSTILE)]
    monkeypatch.setattr(Api, "verify", lambda *_, **__: checks)
    return demo


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_status_shows_what_a_node_says_of_itself(demo: HostWorld, output: str) -> None:
    plane, memory = demo.directories.volumes / "demo" / "control-plane", Memory()
    memory.keep(plane, nodes={**memory.of(plane)["nodes"], "worker": HOSTILE})
    clean(demo.run("status", "demo", "-o", output).stdout)


@pytest.mark.parametrize("output", ["text", "json", "yaml"])
def test_verify_shows_evidence(sick: HostWorld, output: str) -> None:
    result = sick.run("verify", "demo", "-o", output)
    assert result.exit_code == 8
    clean(result.stdout)
    assert _BAD.findall(result.stderr) == []


def test_a_failed_up_quotes_the_guest(sick: HostWorld) -> None:
    result = sick.run("up", "demo")
    assert result.exit_code == 8
    clean(result.stderr)


def test_a_dead_kernels_last_lines_are_quoted(demo: HostWorld) -> None:
    """The console's tail is in the error; a panic that stays ends `up`."""
    for node in ("control-plane", "worker"):
        console = demo.directories.volumes / "demo" / node / "console.log"
        console.write_text(f"Kernel panic - not syncing: {HOSTILE}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bootstrap.workflow.steps.machines._RESTARTS", 0)
        patch.setattr(Guests, "is_ready", no_answer)
        result = demo.run("up", "demo")
    assert result.exit_code == 6
    clean(result.stderr)
    shown = demo.run("logs", "demo", "worker", "--console").stdout
    clean(shown)


def test_saved_evidence_can_be_shown_on_a_terminal(
    demo: HostWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ShellResult(exit_status=0, stdout=HOSTILE, stderr="")
    monkeypatch.setattr(Guests, "run", lambda *_, **__: said)
    result = demo.run("logs", "demo")
    assert result.exit_code == 0
    with tarfile.open(result.stdout.strip()) as archive:
        texts = {one.name: archive.extractfile(one).read().decode() for one in archive}  # type: ignore[union-attr]
    answers = [text for name, text in texts.items() if "/nodes/" in name]
    assert len(answers) >= 10
    for text in answers:
        clean(text)


def test_events_quote_the_guest(demo: HostWorld) -> None:
    """A log of runs may be shown on a terminal too."""
    file = demo.place / "events.ndjson"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Api, "verify", hostile_failure)
        assert demo.run("up", "demo", "--events", str(file)).exit_code == 6
    logs = list(demo.directories.cluster_state(ClusterName("demo")).glob("runs/*"))
    assert len(logs) == 2
    quoting = [text for log in (file, *logs) if "kubelet: " in (text := log.read_text())]
    assert len(quoting) == 2
    for text in quoting:
        clean(text)
        for line in text.splitlines():
            assert _BAD.findall(json.loads(line)["detail"]) == []


def no_answer(*_: object) -> NoReturn:
    raise NotYet("connection refused")


def hostile_failure(*_: object, **__: object) -> NoReturn:
    raise BootstrapError(HOSTILE)


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_what_ansible_quotes_is_logged_without_it(escape: str) -> None:
    lines: list[str] = []
    log = EventLog(started=lambda *_: None, line=lines.append)
    result = {"msg": f"non-zero return code {escape}", "stderr": f"{escape} end"}
    data = {"host": "worker", "task": "Join", "res": result}
    log.handle({"event": "runner_on_failed", "event_data": data})
    clean("".join(lines))
    with pytest.raises(BootstrapError) as caught:
        log.result(["worker"], hint="")
    clean(caught.value.details)
